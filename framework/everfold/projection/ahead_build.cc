#include "everfold/projection/ahead_build.h"

#include <vector>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/projection_type_checks.h"
#include "everfold/projection/read_model_manifest.h"

namespace everfold {
namespace {

Checkpoint BeginningOf(const Checkpoint& head) {
  return {.epoch = head.epoch, .offsets = std::vector<Offset>(head.offsets.size())};
}

// Of the version that is queried; as NeedsAnotherVersion.
absl::StatusOr<bool> IsOfThisCode(const ReadModelManifest& manifest, Files& files, const ProjectionType& type,
                                  const Checkpoint& head) {
  const std::string path = manifest.PathOf(manifest.versions().current);
  if (manifest.versions().current == 0 || !files.Exists(path)) return false;
  EVERFOLD_ASSIGN_OR_RETURN(const ReadModelFile::Fit fit, ReadModelFile::FitOf(path, type, BeginningOf(head)));
  return fit == ReadModelFile::Fit::kCurrent;
}

}  // namespace

absl::StatusOr<bool> NeedsAnotherVersion(Files& files, const std::string& directory, const ProjectionType& type,
                                         const Checkpoint& head) {
  const absl::StatusOr<ReadModelManifest> manifest = ReadModelManifest::Read(files, directory + "/" + type.name);
  const absl::StatusOr<bool> is_of_this_code =
      manifest.ok() ? IsOfThisCode(*manifest, files, type, head) : absl::StatusOr<bool>(manifest.status());
  if (ReasonOf(is_of_this_code.status()) == reason::kReadModelDamaged) return true;
  EVERFOLD_RETURN_IF_ERROR(is_of_this_code.status());
  return !*is_of_this_code;
}

absl::StatusOr<std::unique_ptr<AheadBuild>> AheadBuild::Open(Files& files, const std::string& directory,
                                                             const ProjectionType& type, const EventFeed& feed,
                                                             const Checkpoint& head, const Clock& clock) {
  EVERFOLD_RETURN_IF_ERROR(ValidateProjectionType(type));
  const std::string folder = directory + "/" + type.name;
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(folder));
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<AheadFile> file, AheadFile::Claim(files, folder, absl::ZeroDuration()));
  const bool was_begun = AheadFile::IsThere(files, folder);
  std::unique_ptr<AheadBuild> build(new AheadBuild(std::move(file), clock));
  const absl::Status fits = was_begun ? build->file_->CheckFits(type, head).status() : absl::OkStatus();
  if (!fits.ok() && !AheadFile::IsOfNoUse(fits)) return fits;
  if (!fits.ok()) {
    EVERFOLD_RETURN_IF_ERROR(build->file_->Delete());
    build->begun_anew_because_ = std::string(fits.message());
  }
  EVERFOLD_RETURN_IF_ERROR(build->Begin(type, feed, head));
  return build;
}

absl::Status AheadBuild::Begin(const ProjectionType& type, const EventFeed& feed, const Checkpoint& head) {
  EVERFOLD_ASSIGN_OR_RETURN(
      auto file, ReadModelFile::Open(path(), type, BeginningOf(head), ReadModelFile::Indexes::kWhenComplete));
  EVERFOLD_ASSIGN_OR_RETURN(folder_, EventFolder::Open(std::move(file), type, feed));
  committed_at_ = clock_.Now();
  return absl::OkStatus();
}

absl::Status AheadBuild::Complete() {
  EVERFOLD_RETURN_IF_ERROR(folder_->MakeIndexes([] { return false; }).status());
  return folder_->MakeDurable();
}

absl::StatusOr<PullResult> AheadBuild::Fold(std::size_t max_events) {
  const bool is_due = clock_.Now() - committed_at_ >= kLongestHeld;
  absl::StatusOr<PullResult> folded = is_due ? folder_->FoldBatch(max_events) : folder_->FoldOn(max_events);
  if (folder_->position() == folder_->checkpoint()) committed_at_ = clock_.Now();
  return folded;
}

}  // namespace everfold
