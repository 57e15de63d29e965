// What may be appended past the deciders.
//
// An event of an aggregate that the application has registered means that its decider allowed it. An append that comes
// from elsewhere, by the event store's own service or a program that uses the library, would break that promise, so
// that it is refused unless the application allows it; and then its events are of types that the decider can fold.
#pragma once

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "everfold/store/append.h"

namespace everfold {

struct RawAppendRules {
  // The registered aggregates, with the full names of their events' types.
  absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>> aggregates = {};
  absl::flat_hash_set<std::string> commands = {};  // their full names: the ids of these are the deciders'
  bool allow_registered = false;                   // appends to their streams
};

// The command side does not ask it: it appends what a decider emitted.
// Threading: immutable.
class RawAppendGuard {
 public:
  explicit RawAppendGuard(RawAppendRules rules) : rules_(std::move(rules)) {}

  //   PERMISSION_DENIED  a stream or the command id belongs to the framework (RESERVED_NAME), or a stream, an event's
  //   type
  //                      or the command id to a registered aggregate (AGGREGATE_REGISTERED)
  //   INVALID_ARGUMENT   an event is of a type that its registered aggregate does not have (UNKNOWN_TYPE)
  absl::Status Check(const AppendRequest& request) const;

 private:
  absl::Status CheckStream(const StreamAppend& stream) const;
  absl::Status CheckForeignEvents(const StreamAppend& stream) const;

  const RawAppendRules rules_;
};

}  // namespace everfold
