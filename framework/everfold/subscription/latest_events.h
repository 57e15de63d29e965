// Everything, the newest event first: what an operator wants to see.
//
// The log is made to be read forwards. This reads pieces of each partition from the end, and is meant for pages of
// events, not for all of them.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/recorded_event.h"
#include "everfold/store/event_store.h"

namespace everfold {

inline constexpr std::size_t kMaxLatestEvents = 10'000;

struct LatestOptions {
  EventSelection selection = {};              // default: all events but the framework's own
  std::optional<PartitionId> partition = {};  // of one alone
  Checkpoint upto = {};                       // what comes after it is left out; without offsets: the durable head
  std::size_t limit = 100;                    // events
  std::size_t max_bytes = 64 << 20;           // of chunks read, beyond a first piece of each partition
};

struct LatestResult {
  std::size_t events = 0;  // handed out
  Checkpoint rest;         // as `upto` it goes on with what is older
  bool complete = false;   // there is nothing older
};

// Calls `visit` for the wanted events, merged by sequence, the latest first, until it returns an error, which is then
// the result. The events of one commit come in the reverse order, too.
//   INVALID_ARGUMENT     a limit of 0 (REQUEST_INVALID) or above kMaxLatestEvents (LIMIT_EXCEEDED), and as
//                        Subscription::Start
//   OUT_OF_RANGE, FAILED_PRECONDITION  as there, about `upto`
absl::StatusOr<LatestResult> ReadLatest(const EventStore& store, const LatestOptions& options,
                                        absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold
