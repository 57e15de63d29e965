// Events that are read, parsed and counted on a strand of their own, while those before them are folded.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "everfold/projection/event_batch.h"
#include "everfold/projection/event_source.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: one thread at a time, beside the reading. Lifetime: what it is made of is kept until the last step of its
// reading has ended, which may be after its own end; the subscription's store outlives those.
class ReadAhead final : public EventSource {
 public:
  // Posts a step to the strand of reading; false, with the step dropped, if it is closed.
  using Post = absl::AnyInvocable<bool(Task)>;

  // What a subscription should be given that is read ahead: steps of reading are short, because others wait for them.
  static constexpr std::size_t kMaxBytesAPull = 1 << 20;

  ReadAhead(std::unique_ptr<Subscription> subscription, std::shared_ptr<const EventRoutes> routes, Post post);
  ~ReadAhead() override;

  // True if Pull has something to hand out, or to tell. If not, `when` is called once it has, on the strand of reading;
  // never, and dropped at some time, if that is closed, or this ends before. One at a time.
  bool AwaitReady(Task when);

  // Of what has been read. Without that, it is no event and not caught up: AwaitReady tells when there is more. After
  // an error of the log there is nothing more.
  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override;
  const Checkpoint& checkpoint() const override { return checkpoint_; }

 private:
  class Reader;

  absl::Status HandOut(std::size_t max_events, Visit visit, PullResult& result);

  Checkpoint checkpoint_;
  const std::shared_ptr<Reader> reader_;
  std::unique_ptr<EventBatch> batch_;  // that is handed out
  std::size_t next_ = 0;               // of its events
};

}  // namespace everfold
