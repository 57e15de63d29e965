// Which instance of a process an event is for. Strict: what does not fit the instances that there are is an error of
// the process, and parks the instance; it is never taken for something else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace everfold {

class Route {
 public:
  enum class Kind : std::uint8_t { kIgnore, kStart, kContinue };

  // A new instance of this id begins. One that is there, also one that has ended, is an error.
  static Route Start(std::string id) { return Route(Kind::kStart, std::move(id)); }
  // The instance of this id goes on. That there is none is an error; one that has ended leaves it out.
  static Route Continue(std::string id) { return Route(Kind::kContinue, std::move(id)); }
  // For none.
  static Route Ignore() { return Route(Kind::kIgnore, ""); }

  Kind kind() const { return kind_; }
  const std::string& id() const { return id_; }

 private:
  Route(Kind kind, std::string id) : kind_(kind), id_(std::move(id)) {}
  Kind kind_;
  std::string id_;
};

}  // namespace everfold
