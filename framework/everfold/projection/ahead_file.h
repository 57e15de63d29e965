// <directory>/<projection>/ahead.db: a version of read models that code of tomorrow builds while an application of
// today still has the projection at work (AheadBuild). The next application that opens the projection takes it over
// under the number of its next version if its code has built it and needs it, and deletes it otherwise.
//
// Beside it stands ahead.lock, an empty database: whoever builds the file, moves it or deletes it has a transaction of
// that one open all the time, so that nobody else does. It stays when that ends, however it ends.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

// Claimed, until it is destroyed. Threading: one thread at a time. Lifetime: files outlive it.
class AheadFile {
 public:
  // Whether there is one, or something of one, in a projection's folder.
  static bool IsThere(const Files& files, const std::string& folder);

  // The folder exists, and the file need not. Blocks for up to `wait` while somebody else has claimed it.
  //   FAILED_PRECONDITION  somebody else has (READ_MODEL_REBUILDING)
  static absl::StatusOr<std::unique_ptr<AheadFile>> Claim(Files& files, std::string folder, absl::Duration wait);

  const std::string& path() const { return path_; }

  // The checkpoint from which code of this type can go on with it, in a store whose durable head is this one. Then it
  // is synced.
  //   FAILED_PRECONDITION, DATA_LOSS  it is of no use (IsOfNoUse): there is none, it is of other code or of another
  //                                   history, has events that the log does not have, or is damaged
  //   INTERNAL, RESOURCE_EXHAUSTED    that cannot be told now
  absl::StatusOr<Checkpoint> CheckFits(const ProjectionType& type, const Checkpoint& head) const;
  static bool IsOfNoUse(const absl::Status& fits);

  // Under another name, durably. REQUIRES: nobody has it open, as after CheckFits; and that there is nothing at `path`.
  absl::Status MoveTo(const std::string& path);
  // With what SQLite keeps beside it.
  absl::Status Delete();

 private:
  AheadFile(Files& files, std::string folder, std::unique_ptr<sqlite::Database> lock);

  Files& files_;
  const std::string folder_;
  const std::string path_;
  const std::unique_ptr<sqlite::Database> lock_;
};

}  // namespace everfold
