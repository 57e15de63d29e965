// A checkpoint with a name, kept in the log itself: the events of the stream `$group/<name>`, of which the newest
// counts.
//
//   EVERFOLD_ASSIGN_OR_RETURN(const auto group, GroupCheckpoint::Open(store, "mailer"));
//   EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint from, group->Load());
//   EVERFOLD_ASSIGN_OR_RETURN(const auto subscription, Subscription::Start(store, from));
//   ...
//   if (pulled.events > 0) group->Save(subscription->checkpoint(), [](absl::Status saved) { ... });
//
// What was handled after the last checkpoint that was saved is handed out again after a crash: a group sees every event
// at least once. Of two readers that have loaded the same checkpoint, one can save; the other one is told when it
// tries.
//
// Every save is an event. Save a batch of events, not each one, and only when events were handed out: the checkpoint
// moves over those that are hidden, too, and among these are the saves of other groups. Whoever saves faster than the
// log can take it is not queued: while one save is on its way, only the newest one of those that follow is kept.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: thread-safe. Lifetime: the store outlives it, and every save; saves that are under way go on without it.
class GroupCheckpoint {
 public:
  using SaveDone = absl::AnyInvocable<void(absl::Status)>;

  // INVALID_ARGUMENT for a name that is not 1 to 200 bytes of printable UTF-8.
  static absl::StatusOr<std::unique_ptr<GroupCheckpoint>> Open(EventStore& store, const std::string& name);
  virtual ~GroupCheckpoint() = default;

  // The checkpoint that was saved last, by whomever; that of the beginning, if there is none. From here on this reader
  // may save, as long as nobody else does. An error that is about what was saved does not keep it from saving another
  // checkpoint, deliberately:
  //   FAILED_PRECONDITION  it is of another history of the store (OTHER_HISTORY), as after a restore
  //   DATA_LOSS            it is beyond the durable head: the log has lost events that were handled; or it is damaged
  virtual absl::StatusOr<Checkpoint> Load() = 0;

  // `done` is called once; OK means that this checkpoint, or one that was saved after it, is durable. It must not
  // block, and may be called before Save returns. A checkpoint that says no more than that the last save was seen is
  // not saved.
  //   FAILED_PRECONDITION  a checkpoint of another history (OTHER_HISTORY), or nothing was loaded (REQUEST_INVALID)
  //   DATA_LOSS            a checkpoint beyond the durable head
  //   ABORTED              another reader has saved under this name (VERSION_CONFLICT): this one must stop. All
  //                        later saves fail likewise, until it loads again.
  // and the other errors of EventStore::Append, after which it may save again.
  virtual void Save(Checkpoint checkpoint, SaveDone done) = 0;
};

}  // namespace everfold
