// What was built ahead of the start (ahead_file.h) becomes a version of the projection's, or is deleted.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/log/files/files.h"
#include "everfold/projection/ahead_file.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/read_model_manifest.h"

namespace everfold {

// Threading: one thread. Lifetime: what it is made of outlives it.
class AheadTakeover {
 public:
  AheadTakeover(Files& files, ReadModelManifest& manifest, const ProjectionType& type, const Checkpoint& head,
                const ProjectionSteps& steps)
      : files_(files), manifest_(manifest), type_(type), head_(head), steps_(steps) {}

  // What it would be taken over for is damaged: the version before it is not gone back to.
  void MayNotGoBack() { may_go_back_ = false; }

  // It is needed, as the version that is queried or that is being built. True if there is one and it has become that;
  // else what there is stays or is deleted, and the log says why. The error is that of the manifest.
  absl::StatusOr<bool> TakeAs(std::uint32_t ReadModelVersions::*as);
  // It is not.
  void Delete();

 private:
  // FAILED_PRECONDITION if what it would replace has come as far.
  absl::Status CheckIsAhead(const Checkpoint& checkpoint, std::uint32_t ReadModelVersions::*as) const;
  absl::Status CheckIsAheadOf(std::uint32_t version, const char* what, const Checkpoint& checkpoint) const;
  absl::StatusOr<bool> Take(AheadFile& ahead, const Checkpoint& checkpoint, std::uint32_t ReadModelVersions::*as);
  void Refuse(AheadFile& ahead, const absl::Status& why);
  void Tell(LogLevel level, const char* what, const absl::Status& why) const;

  Files& files_;
  ReadModelManifest& manifest_;
  const ProjectionType& type_;
  const Checkpoint& head_;
  const ProjectionSteps& steps_;
  bool may_go_back_ = true;
};

}  // namespace everfold
