// Builds a version of a projection's read models ahead of the deploy that needs it: from the events of an application
// that is at work, and into a file that this application does not look at (ahead_file.h).
//
//   while (!near the head) build->Fold(n);
//   build->Complete();
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/ahead_file.h"
#include "everfold/projection/event_feed.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/projection_type.h"

namespace everfold {

// Whether what is queried of the projection was built by other code, or nothing is: otherwise a version that is built
// ahead would be deleted. `directory` is that of all read models. Changes nothing.
//   as ReadModelManifest::Read and ReadModelFile::Open, but for damage, which is built anew
absl::StatusOr<bool> NeedsAnotherVersion(Files& files, const std::string& directory, const ProjectionType& type,
                                         const Checkpoint& head);

// Threading: one thread at a time. Lifetime: files, type, feed and clock outlive it.
class AheadBuild {
 public:
  // Beyond it the next batch is committed: the application that is asked may go away at any time, and takes with it
  // what is not.
  static constexpr absl::Duration kLongestHeld = absl::Seconds(5);

  // Goes on with what was begun, or begins. `head` is that of the feed.
  //   INVALID_ARGUMENT     as ValidateProjectionType
  //   FAILED_PRECONDITION  somebody else builds it (READ_MODEL_REBUILDING)
  //   and as EventFolder::Open
  static absl::StatusOr<std::unique_ptr<AheadBuild>> Open(Files& files, const std::string& directory,
                                                          const ProjectionType& type, const EventFeed& feed,
                                                          const Checkpoint& head, const Clock& clock);

  // Why what was begun by somebody before was deleted; "" if nothing was.
  const std::string& begun_anew_because() const { return begun_anew_because_; }

  // As EventFolder::FoldOn, but holds nothing back for longer than kLongestHeld. What was not committed when the
  // process ends, or after an error, is folded again.
  absl::StatusOr<PullResult> Fold(std::size_t max_events);
  // As far as it has come.
  const Checkpoint& position() const { return folder_->position(); }
  std::size_t parked_keys() const { return folder_->parked_keys().size(); }
  const std::string& path() const { return file_->path(); }
  // What was folded gets its indexes, and is on the disk for good. More may be folded afterwards.
  absl::Status Complete();

 private:
  AheadBuild(std::unique_ptr<AheadFile> file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

  absl::Status Begin(const ProjectionType& type, const EventFeed& feed, const Checkpoint& head);

  const std::unique_ptr<AheadFile> file_;
  const Clock& clock_;
  std::string begun_anew_because_;
  std::unique_ptr<EventFolder> folder_;
  absl::Time committed_at_;
};

}  // namespace everfold
