// A state that is kept in the log itself, as the newest event of a stream that one writer appends to: the checkpoint of
// a group, the place of a reactor.
//
// Of two writers that have loaded the same event, one can append; the other one is told when it tries.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: thread-safe. Lifetime: the store outlives it; appends that are under way keep it.
class NewestEvent : public std::enable_shared_from_this<NewestEvent> {
 public:
  NewestEvent(EventStore& store, StreamId stream) : store_(store), stream_(std::move(stream)) {}

  const StreamId& stream() const { return stream_; }

  // Calls `visit` with the newest event, if there is one. From here on this writer may append, as long as nobody else
  // does; also after an error of `visit`, which is the result.
  absl::Status Load(absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

  // OK if it may append. FAILED_PRECONDITION if nothing was loaded (REQUEST_INVALID); ABORTED (VERSION_CONFLICT) if
  // another writer has appended since.
  absl::Status CheckMayAppend() const;

  // Appends the events in one commit; the last one is the newest from then on. As EventStore::Append, and
  // CheckMayAppend of it. REQUIRES: no other one is under way, CheckMayAppend.
  void Append(std::vector<NewEvent> events, EventStore::AppendDone done);

 private:
  void Ended(const absl::StatusOr<AppendResult>& result);

  EventStore& store_;
  const StreamId stream_;
  mutable Mutex mutex_;
  std::optional<Version> version_ ABSL_GUARDED_BY(mutex_);  // of the stream, as this writer knows it; none: not its own
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);               // why it is not its own any more
};

}  // namespace everfold
