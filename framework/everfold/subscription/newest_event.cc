#include "everfold/subscription/newest_event.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {

absl::Status NewestEvent::Load(absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  Version version;
  absl::Status visited;
  EVERFOLD_RETURN_IF_ERROR(
      store_.ReadStream(stream_, {.direction = Direction::kBackwards, .limit = 1}, [&](const RecordedEvent& event) {
        version = event.version;
        visited = visit(event);
        return absl::OkStatus();
      }));
  MutexLock lock(&mutex_);
  version_ = version;
  return visited;
}

absl::Status NewestEvent::CheckMayAppend() const {
  MutexLock lock(&mutex_);
  if (version_.has_value()) return absl::OkStatus();
  if (!lost_.ok()) return lost_;
  return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
               absl::StrFormat("%s: a checkpoint is loaded before one is saved", stream_.ToString()));
}

void NewestEvent::Append(std::vector<NewEvent> events, EventStore::AppendDone done) {
  AppendRequest request;
  request.of_framework = true;
  StreamAppend& append = request.streams.emplace_back();
  append.stream = stream_;
  append.events = std::move(events);
  {
    MutexLock lock(&mutex_);
    EVERFOLD_CHECK(version_.has_value());
    append.expectation = StreamExpectation::Exact(*version_);
  }
  store_.Append(std::move(request), [self = shared_from_this(),
                                     done = std::move(done)](const absl::StatusOr<AppendResult>& result) mutable {
    self->Ended(result);
    done(result);
  });
}

void NewestEvent::Ended(const absl::StatusOr<AppendResult>& result) {
  MutexLock lock(&mutex_);
  if (result.ok()) {
    version_ = result->streams.front().version;
  } else if (absl::IsAborted(result.status())) {
    version_.reset();
    lost_ = result.status();
  }
}

}  // namespace everfold
