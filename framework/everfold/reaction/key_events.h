// The events of one key, from the log: those that wait behind one that could not be done, or that came faster than they
// could be done. They are read again when their turn comes, so that nothing grows with what waits.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/reaction/event_reaction.h"
#include "everfold/reaction/reactor_type.h"
#include "everfold/reaction/taken_event.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// Where the key is the stream, the stream is read; else the log from the first one on, of which each event is asked for
// its key. Where the key could not be told, it may be told by now, and nobody knows which events of the stream were
// taken under it: all of them are read, those that were done under their own key, too. Threading: one thread at a time.
// Lifetime: type and store outlive it.
class KeyEvents {
 public:
  enum class Found {
    kSome,  // events were added
    kNone,  // there are no more, up to what is taken
    kMore,  // nobody knows yet: it has read enough for one step
  };

  // From the event at `at` on, or behind it if it is `passed`.
  KeyEvents(const ReactorType& type, const EventStore& store, std::string key, EventPlace at, bool passed)
      : type_(type), store_(store), key_(std::move(key)), at_(std::move(at)), passed_(passed) {}

  // Adds up to `limit` of the events that come next, no further than `taken`, a checkpoint that is nowhere before that
  // of an earlier call. An event at `at` that was erased is passed over.
  //   FAILED_PRECONDITION  there is another event at `at`, or one that nobody reacts to any more, or whose key is
  //                        another one now (EVENT_PARKED): what was to begin with it must not be left out unseen
  // Else of the log.
  absl::StatusOr<Found> Read(const Checkpoint& taken, std::size_t limit, std::deque<TakenEvent>& events);

 private:
  absl::Status CheckFirst();
  absl::Status NotTheFirst(const std::string& why) const;
  absl::StatusOr<Found> ReadStream(const Checkpoint& taken, std::size_t limit, std::deque<TakenEvent>& events);
  absl::StatusOr<Found> ReadLog(const Checkpoint& taken, std::size_t limit, std::deque<TakenEvent>& events);
  bool has_untold_key() const { return key_ == UntoldKeyOf(at_.stream); }
  bool IsBehind(const EventPlace& place) const { return passed_ ? ComesBefore(at_, place) : !ComesBefore(place, at_); }

  const ReactorType& type_;
  const EventStore& store_;
  const std::string key_;
  EventPlace at_;
  bool passed_;
  bool checked_ = false;
  std::unique_ptr<Subscription> subscription_;  // of the log, up to `upto_`
  Checkpoint upto_;
};

}  // namespace everfold
