#include "everfold/query/token_wait.h"

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/consistency_token.h"

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

}  // namespace

absl::StatusOr<std::vector<Position>> PositionsOf(const std::string& token, const Checkpoint& history) {
  if (token.empty()) return std::vector<Position>();
  EVERFOLD_ASSIGN_OR_RETURN(ConsistencyToken decoded, DecodeToken(token));
  if (decoded.epoch != history.epoch) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
                 "consistency_token is of another history of the store; what it names is not in this one");
  }
  for (const Position& position : decoded.positions) {
    if (position.partition.value() < history.offsets.size()) continue;
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("consistency_token names partition %d of %d", position.partition.value(),
                                 history.offsets.size()));
  }
  return std::move(decoded.positions);
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
  wait->id = projection.WaitFor(std::move(positions), [wait](absl::Status reached) {
    if (Projection::WaitDone answer = wait->TakeDone(); answer != nullptr) answer(std::move(reached));
  });
}

}  // namespace everfold
