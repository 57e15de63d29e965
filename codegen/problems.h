// What is wrong with a domain's files, each with the line where it is.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

namespace pb = google::protobuf;

// Threading: one thread.
class Problems {
 public:
  // The text says what is wrong and, after a semicolon, what to do.
  template <class Declaration>  // a Descriptor, FieldDescriptor or ServiceDescriptor
  void Add(const Declaration& where, const std::string& text) {
    pb::SourceLocation location;
    const bool known = where.GetSourceLocation(&location);
    Add(where.file()->name(), known ? location.start_line + 1 : 0, text);
  }
  // Line 0: the file as a whole.
  void Add(const std::string& file, int line, const std::string& text);

  bool empty() const { return found_.empty(); }
  // "file:line: text", in the order of files and lines.
  std::string ToString() const;

 private:
  struct Problem {
    std::string file;
    int line = 0;
    std::string text;
    friend auto operator<=>(const Problem&, const Problem&) = default;
  };
  std::vector<Problem> found_;
};

}  // namespace everfold::codegen
