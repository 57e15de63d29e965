// The four expectations an append can have of a stream.
#pragma once

#include <optional>
#include <string>

#include "everfold/event/position.h"

namespace everfold {

// What an append expects of a stream.
class StreamExpectation {
 public:
  static StreamExpectation Any() { return StreamExpectation(Kind::kAny, Version()); }
  static StreamExpectation NoStream() { return StreamExpectation(Kind::kNoStream, Version()); }
  static StreamExpectation Exists() { return StreamExpectation(Kind::kExists, Version()); }
  // Exact(Version(0)) is NoStream.
  static StreamExpectation Exact(Version version) { return StreamExpectation(Kind::kExact, version); }

  bool Holds(Version actual) const;
  // The version that it names, 0 for NoStream; nullopt if it names none.
  std::optional<Version> version() const;
  std::string ToString() const;  // "any version", "no stream", "an existing stream", "version 5"

 private:
  enum class Kind { kAny, kNoStream, kExists, kExact };
  StreamExpectation(Kind kind, Version version) : kind_(kind), version_(version) {}
  Kind kind_;
  Version version_;
};

}  // namespace everfold
