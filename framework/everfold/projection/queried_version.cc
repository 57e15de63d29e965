#include "everfold/projection/queried_version.h"

#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/ahead_takeover.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

absl::StatusOr<std::unique_ptr<QueriedVersion>> QueriedVersion::Open(Files& files, const std::string& folder,
                                                                     const ProjectionType& type,
                                                                     const EventStore& store, ProjectionSteps& steps) {
  EVERFOLD_ASSIGN_OR_RETURN(ReadModelManifest manifest, ReadModelManifest::Load(files, folder));
  std::unique_ptr<QueriedVersion> version(new QueriedVersion(files, std::move(manifest), type, store, steps));
  EVERFOLD_RETURN_IF_ERROR(version->OpenFiles());
  return version;
}

absl::Status QueriedVersion::Save(const std::function<void(ReadModelVersions&)>& change) {
  ReadModelVersions versions = manifest_.versions();
  change(versions);
  return manifest_.Save(versions);
}

absl::Status QueriedVersion::OpenFiles() {
  absl::Status opened = manifest_.damage().ok() ? OpenCurrent() : manifest_.damage();
  if (ReasonOf(opened) == reason::kReadModelDamaged) {
    live_.reset();
    stale_.reset();
    damage_ = std::exchange(opened, absl::OkStatus());
  }
  EVERFOLD_RETURN_IF_ERROR(opened);
  if (!waits_for_next()) {
    AheadTakeover(files_, manifest_, type_, store_.DurableHead(), steps_).Delete();
    return absl::OkStatus();
  }
  EVERFOLD_ASSIGN_OR_RETURN(const bool took_ahead, TakeAhead(&ReadModelVersions::building));
  if (took_ahead) ahead_ = versions().building;
  return absl::OkStatus();
}

absl::StatusOr<bool> QueriedVersion::TakeAhead(std::uint32_t ReadModelVersions::*as) {
  const Checkpoint head = store_.DurableHead();
  AheadTakeover takeover(files_, manifest_, type_, head, steps_);
  if (is_damaged()) takeover.MayNotGoBack();
  return takeover.TakeAs(as);
}

absl::Status QueriedVersion::OpenCurrent() {
  const bool is_first = versions().current == 0;
  if (is_first || !files_.Exists(PathOf(versions().current))) {
    EVERFOLD_RETURN_IF_ERROR(TakeAhead(&ReadModelVersions::current).status());
  }
  if (versions().current == 0) {
    EVERFOLD_RETURN_IF_ERROR(Save([](ReadModelVersions& versions) { versions.current = versions.next++; }));
  }
  EVERFOLD_ASSIGN_OR_RETURN(auto file, ReadModelFile::Open(PathOf(versions().current), type_, BeginningOf(store_)));
  if (file->fit() == ReadModelFile::Fit::kCurrent) {
    const bool is_anew = file->created() && !is_first;
    EVERFOLD_ASSIGN_OR_RETURN(live_, OpenFolder(std::move(file)));
    if (is_anew) TellAnew("its file is missing");
  } else {
    stale_ = std::move(file);
  }
  return absl::OkStatus();
}

absl::Status QueriedVersion::Reopen() {
  live_.reset();
  EVERFOLD_ASSIGN_OR_RETURN(auto file, ReadModelFile::Open(PathOf(versions().current), type_, BeginningOf(store_)));
  if (file->fit() != ReadModelFile::Fit::kCurrent) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                 absl::StrFormat("%s was replaced by a file of other code", file->path()));
  }
  EVERFOLD_ASSIGN_OR_RETURN(live_, OpenFolder(std::move(file)));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<EventFolder>> QueriedVersion::OpenFolder(std::unique_ptr<ReadModelFile> file) {
  file->TellCommits(*steps_.snapshots());
  EVERFOLD_ASSIGN_OR_RETURN(auto folder, EventFolder::Open(std::move(file), type_, feed_));
  folder->ReadAheadBy(steps_.OnStrandOfItsOwn());
  return folder;
}

absl::Status QueriedVersion::CheckFolds() const {
  if (live_ != nullptr) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelRebuilding,
               absl::StrFormat("projection %s is being built anew, or has stopped", type_.name));
}

std::string QueriedVersion::built_anew_because() const {
  if (!damage_.ok()) return std::string(damage_.message());
  if (stale_ == nullptr) return "";
  return stale_->fit() == ReadModelFile::Fit::kUnreadable ? "its read models have changed"
                                                          : "its file was written by other code";
}

bool QueriedVersion::is_queried() const {
  return stale_ != nullptr ? stale_->fit() == ReadModelFile::Fit::kReadable : damage_.ok();
}

std::string QueriedVersion::path() const { return is_queried() ? PathOf(versions().current) : std::string(); }

std::optional<Checkpoint> QueriedVersion::checkpoint() const {
  if (live_ != nullptr) return live_->checkpoint();
  if (stale_ != nullptr && is_queried()) return stale_->checkpoint();
  return std::nullopt;
}

absl::StatusOr<absl::flat_hash_set<std::string>> QueriedVersion::KeysParked() const {
  if (live_ != nullptr) return live_->parked_keys();
  absl::StatusOr<std::vector<ParkedKey>> keys;
  if (stale_ != nullptr) {
    keys = stale_->parked().Keys();
  } else {  // it could not be opened again after an error, and is queried all the same
    EVERFOLD_ASSIGN_OR_RETURN(const auto file,
                              ReadModelFile::Open(PathOf(versions().current), type_, BeginningOf(store_)));
    if (file->fit() == ReadModelFile::Fit::kUnreadable) return absl::flat_hash_set<std::string>();
    keys = file->parked().Keys();
  }
  EVERFOLD_RETURN_IF_ERROR(keys.status());
  absl::flat_hash_set<std::string> parked;
  for (const ParkedKey& key : *keys) parked.insert(key.key);
  return parked;
}

absl::Status QueriedVersion::SwapIn(NextVersion& next) {
  EVERFOLD_RETURN_IF_ERROR(next.folder->MakeDurable());  // before anything names it
  EVERFOLD_RETURN_IF_ERROR(Save([this, &next](ReadModelVersions& versions) {
    // What is damaged is of no use; the version before it may be.
    if (damage_.ok()) versions.previous = versions.current;
    versions.current = next.version();
    if (versions.previous == versions.current) versions.previous = 0;
    if (!next.is_rollback()) {
      versions.building = 0;
      versions.held = false;
    }
  }));
  Set(std::move(next.folder));
  return absl::OkStatus();
}

// The empty file is there before anything else changes.
absl::Status QueriedVersion::Reset() {
  const std::uint32_t version = versions().next;
  EVERFOLD_ASSIGN_OR_RETURN(auto file, ReadModelFile::Open(PathOf(version), type_, BeginningOf(store_)));
  EVERFOLD_ASSIGN_OR_RETURN(auto folder, OpenFolder(std::move(file)));
  EVERFOLD_RETURN_IF_ERROR(folder->MakeDurable());
  EVERFOLD_RETURN_IF_ERROR(Save([this, version](ReadModelVersions& versions) {
    const std::uint32_t before = damage_.ok() ? versions.current : 0;
    versions = {.current = version, .previous = before, .next = version + 1, .paused = versions.paused};
  }));
  Set(std::move(folder));
  return absl::OkStatus();
}

void QueriedVersion::Set(std::unique_ptr<EventFolder> live) {
  live_ = std::move(live);
  stale_.reset();
  damage_ = absl::OkStatus();
}

void QueriedVersion::TellAnew(const std::string& why) const {
  steps_.Tell(damage_.ok() ? LogLevel::kInfo : LogLevel::kError, "projection is built anew", {{"why", why}});
}

}  // namespace everfold
