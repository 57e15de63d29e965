#include "everfold/query/token_wait.h"

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

// One wait. The projection or the timer ends it, whichever is first; the projection owns it, through its callback.
struct Wait {
  explicit Wait(Projection::WaitDone d) : done(std::move(d)) {}

  // Null at the second call: then the other side has ended the wait.
  Projection::WaitDone TakeDone() {
    MutexLock lock(&mutex);
    return std::exchange(done, nullptr);
  }
  std::uint64_t Id() {
    MutexLock lock(&mutex);
    return id;
  }

  Mutex mutex;
  Projection::WaitDone done ABSL_GUARDED_BY(mutex);
  std::uint64_t id ABSL_GUARDED_BY(mutex) = 0;
  std::unique_ptr<Timer> timer ABSL_GUARDED_BY(mutex);
};

absl::Status Behind(const Projection& projection) {
  const std::string lag = absl::StrFormat("%d", projection.lag_events());
  const std::string why = projection.Describe().built_anew_because;
  absl::Status behind = Error(absl::StatusCode::kUnavailable, reason::kReadModelBehind,
                              absl::StrFormat("projection %s has not reached the consistency token; it is %s behind%s",
                                              projection.type().name, Counted(projection.lag_events(), "event"),
                                              why.empty() ? "" : ", and being built anew, because " + why),
                              {{"projection", projection.type().name}, {"lag_events", lag}});
  AddRetryInfo(behind, kRetryDelay);
  return behind;
}

absl::Status BeyondHead(const Position& position, Offset head) {
  return Error(absl::StatusCode::kOutOfRange, reason::kBeyondHead,
               absl::StrFormat("consistency_token names event %d of partition %d, whose durable head is %d",
                               position.offset.value(), position.partition.value(), head.value()),
               {{"head", absl::StrFormat("%d", head.value())}});
}

}  // namespace

absl::StatusOr<ConsistencyToken> ReadToken(const std::string& text, const Projection& projection) {
  if (text.empty()) return ConsistencyToken();
  EVERFOLD_ASSIGN_OR_RETURN(ConsistencyToken token, DecodeToken(text));
  const Checkpoint head = projection.durable_head();
  if (token.epoch != head.epoch) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
                 "consistency_token is of another history of the store; what it names is not in this one");
  }
  for (const Position& position : token.positions) {
    const std::uint32_t partition = position.partition.value();
    if (partition >= head.offsets.size()) {
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   absl::StrFormat("consistency_token names partition %d of %d", partition, head.offsets.size()));
    }
    if (position.offset > head.offsets[partition]) return BeyondHead(position, head.offsets[partition]);
  }
  return token;
}

absl::Status WithLag(absl::Status status, const Projection& projection) {
  google::rpc::ErrorInfo info;
  if (!FindDetail(status, info)) return status;
  (*info.mutable_metadata())["lag_events"] = absl::StrFormat("%d", projection.lag_events());
  AddDetail(status, info);
  return status;
}

void WaitForPositions(Projection& projection, std::vector<Position> positions, absl::Duration timeout,
                      Executor& executor, Projection::WaitDone done) {
  auto wait = std::make_shared<Wait>(std::move(done));
  MutexLock lock(&wait->mutex);  // neither side ends it before it is complete
  wait->timer = executor.PostAfter(timeout, [&projection, waiting = std::weak_ptr<Wait>(wait)] {
    const std::shared_ptr<Wait> late = waiting.lock();
    if (late == nullptr) return;
    Projection::WaitDone answer = late->TakeDone();
    if (answer == nullptr) return;
    projection.CancelWait(late->Id());
    answer(Behind(projection));
  });
  wait->id = projection.WaitFor(std::move(positions), [&projection, wait](absl::Status reached) {
    Projection::WaitDone answer = wait->TakeDone();
    if (answer == nullptr) return;
    answer(reached.ok() ? std::move(reached) : WithLag(std::move(reached), projection));
  });
}

}  // namespace everfold
