// Which files a projection has: <directory>/<projection>/<n>.db, one for each version of its read models, of which the
// manifest beside them, <directory>/<projection>/MANIFEST, names the one that is queried. A new version is built beside
// it and takes its place when the manifest says so; an open database is never renamed.
//
// The manifest is a text: the line "everfold-read-models 1", a line "<name> <number>" for each member of
// ReadModelVersions, and "sha256 <hex>" of all that stands before. It is replaced whole (ReplaceFile). Only where a
// version is held it is of format 2, and has the line "held 1".
//
// What else is in the folder stays: ahead.db (ahead_file.h) among it.
//
// One that is damaged is kept as MANIFEST.damaged, and the databases as they are, until another one names a version
// that is queried.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/files/files.h"

namespace everfold {

struct ReadModelVersions {
  std::uint32_t current = 0;   // is queried; 0: there is none yet
  std::uint32_t previous = 0;  // was queried before, and is kept for a rollback; 0: none
  std::uint32_t building = 0;  // is to take the current one's place; 0: none
  std::uint32_t next = 1;      // number of the next new one
  bool paused = false;         // by an operator
  bool held = false;           // what is being built was to be compared, and is not to be swapped in by itself
  friend bool operator==(const ReadModelVersions&, const ReadModelVersions&) = default;
};

// Threading: one thread at a time. Lifetime: files outlive it.
class ReadModelManifest {
 public:
  // Makes the folder where there is none, and deletes the databases in it that the manifest does not name. In place of
  // one that is damaged another one begins, which names no version: damage().
  //   FAILED_PRECONDITION  it is of a newer everfold (FORMAT_UNKNOWN)
  static absl::StatusOr<ReadModelManifest> Load(Files& files, std::string folder);
  // The same, and changes nothing.
  //   DATA_LOSS  the manifest is damaged (READ_MODEL_DAMAGED)
  static absl::StatusOr<ReadModelManifest> Read(Files& files, std::string folder);

  const ReadModelVersions& versions() const { return versions_; }
  // Why no version is queried though there may have been one; OK if that is not so.
  const absl::Status& damage() const { return damage_; }
  const std::string& folder() const { return folder_; }
  std::string PathOf(std::uint32_t version) const;

  // Durable when it returns OK. Then deletes what it does not name any more; that this fails is no error, the next Load
  // tries again.
  absl::Status Save(const ReadModelVersions& versions);

 private:
  ReadModelManifest(Files& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}
  absl::Status ReplaceDamaged(const absl::Status& damage);
  absl::Status DeleteUnnamed();

  Files* files_;
  std::string folder_;
  ReadModelVersions versions_;
  absl::Status damage_;
};

}  // namespace everfold
