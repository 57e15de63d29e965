// Which version of its read models a projection is queried of, and what it folds into: its files, as the manifest names
// them.
//
// What is queried follows the log if this code has built it. If other code has, it is as it is until its successor is
// there; if it is damaged, nothing is queried until then.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/event_feed.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/read_model_manifest.h"

namespace everfold {

// Threading: one thread at a time. Lifetime: files, type, store and steps outlive it.
class QueriedVersion {
 public:
  // Damage keeps nothing from opening: all of it is in the log. Errors as Projection::Open.
  static absl::StatusOr<std::unique_ptr<QueriedVersion>> Open(Files& files, const std::string& folder,
                                                              const ProjectionType& type, const EventStore& store,
                                                              ProjectionSteps& steps);

  const ReadModelVersions& versions() const { return manifest_.versions(); }
  std::string PathOf(std::uint32_t version) const { return manifest_.PathOf(version); }
  absl::Status Save(const std::function<void(ReadModelVersions&)>& change);

  // What events are folded into; null while what is queried gets none.
  EventFolder* live() const { return live_.get(); }
  // FAILED_PRECONDITION (READ_MODEL_REBUILDING) while it is null.
  absl::Status CheckFolds() const;
  // There is nothing that events could be folded into before the next version is there.
  bool waits_for_next() const { return stale_ != nullptr || !damage_.ok(); }
  bool is_damaged() const { return !damage_.ok(); }
  // That what is being built was built ahead of this start, and is not given up.
  bool took_ahead() const { return ahead_ != 0 && versions().building == ahead_; }
  // Why a successor is needed; "" if none is.
  std::string built_anew_because() const;

  // The current version can be queried; a stale one, if it has the tables of the code.
  bool is_queried() const;
  // "" while nothing is queried.
  std::string path() const;
  // Of what is queried; nullopt while that is not known, or nothing is.
  std::optional<Checkpoint> checkpoint() const;
  // Likewise. REQUIRES: is_queried().
  absl::StatusOr<absl::flat_hash_set<std::string>> KeysParked() const;

  // After an error: SQLite's connection, and what was read ahead of the log, begin anew.
  absl::Status Reopen();
  // As where that is found at the opening.
  void FoundDamaged(const absl::Status& damage) { damage_ = damage; }

  // The next version takes the current one's place. After an error nothing has changed.
  absl::Status SwapIn(NextVersion& next);
  // An empty version does. The one of before is `previous` then, until nobody is told of it any more.
  absl::Status Reset();

  void TellAnew(const std::string& why) const;

 private:
  QueriedVersion(Files& files, ReadModelManifest manifest, const ProjectionType& type, const EventStore& store,
                 ProjectionSteps& steps)
      : files_(files), type_(type), store_(store), steps_(steps), feed_(store), manifest_(std::move(manifest)) {}

  absl::Status OpenFiles();
  absl::Status OpenCurrent();
  absl::StatusOr<std::unique_ptr<EventFolder>> OpenFolder(std::unique_ptr<ReadModelFile> file);
  absl::StatusOr<bool> TakeAhead(std::uint32_t ReadModelVersions::*as);
  void Set(std::unique_ptr<EventFolder> live);

  Files& files_;
  const ProjectionType& type_;
  const EventStore& store_;
  ProjectionSteps& steps_;
  const StoreFeed feed_;
  ReadModelManifest manifest_;
  std::unique_ptr<EventFolder> live_;     // null while what is queried gets no events
  std::unique_ptr<ReadModelFile> stale_;  // then: what was built by other code,
  absl::Status damage_;                   // or of what is damaged and cannot be opened
  std::uint32_t ahead_ = 0;               // the version that was taken over; 0: none was
};

}  // namespace everfold
