// When a command's event happened: what the command says, if that can be, or now.
#pragma once

#include "absl/time/time.h"
#include "everfold/base/timestamp.h"
#include "everfold/decide/context.h"
#include "google/protobuf/timestamp.pb.h"

namespace shop::v1 {

using google::protobuf::Timestamp;

// Between which times an event can have happened.
struct TimeBounds {
  absl::Time earliest;
  absl::Time latest;
};

// Not before `last`, nor 1970, and not after now. A clock that has stepped back behind `last` stands still there.
TimeBounds BoundsSince(const Timestamp& last, const everfold::Context& context);
// The same without anything that came before.
TimeBounds BoundsOfHistory(const everfold::Context& context);

// False also for what is no Timestamp: its nanoseconds count from 0 to 999,999,999.
bool IsWithin(const Timestamp& time, const TimeBounds& bounds);

// The later one; an empty Timestamp is 1970.
Timestamp Later(const Timestamp& a, const Timestamp& b);

// What the command says, or now.
template <class Command>
Timestamp OccurredAt(const Command& command, const TimeBounds& bounds) {
  return command.has_occurred_at() ? command.occurred_at() : everfold::TimestampOf(bounds.latest);
}

}  // namespace shop::v1
