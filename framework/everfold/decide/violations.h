// Broken field rules of a command, collected all at once before Decide is asked. The rules and their names are those of
// protovalidate's standard rules; generated Validate functions fill this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace everfold {

struct Violation {
  std::string field;        // path from the command, for example "lines[2].quantity"
  std::string rule;         // for example "int64.gt"
  std::string description;  // for example "must be greater than 0, is -5"
  friend bool operator==(const Violation&, const Violation&) = default;
};

// Threading: one thread.
class Violations {
 public:
  // At most this many are kept; a request can break more rules than an answer should carry.
  static constexpr std::size_t kMaxKept = 100;

  // The field is relative to the values entered so far.
  void Add(std::string_view field, std::string_view rule, std::string description);

  // While it lives, fields are relative to a nested message, or to an item of a repeated field.
  class Scope {
   public:
    Scope(Violations& violations, std::string_view field);
    Scope(Violations& violations, std::string_view field, std::size_t index);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Violations& violations_;
    std::size_t prefix_size_;
  };

  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  const std::vector<Violation>& kept() const { return kept_; }

  // OK if empty, else INVALID_ARGUMENT with BadRequest and reason COMMAND_INVALID. `command` is the message's full
  // name; `path` goes before each field, for requests that carry the command in a field of theirs.
  absl::Status ToStatus(std::string_view command, std::string_view path) const;

 private:
  std::string prefix_;
  std::size_t count_ = 0;
  std::vector<Violation> kept_;
};

// Number of code points of valid UTF-8.
std::uint64_t CountCodePoints(std::string_view text);
// True for 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4), any case.
bool IsUuid(std::string_view text);

// A compiled RE2 expression. Threading: immutable.
class Pattern {
 public:
  // REQUIRES: `expression` is valid; the generator has compiled it before.
  explicit Pattern(const char* expression);
  ~Pattern();
  bool Matches(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace everfold
