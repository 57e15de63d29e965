#include "tests/fault/careless_files.h"

#include <utility>

#include "everfold/base/status.h"

namespace everfold {

class CarelessFiles::CarelessFile final : public File {
 public:
  CarelessFile(CarelessFiles& files, Part part, std::shared_ptr<File> file)
      : files_(files), part_(part), file_(std::move(file)) {}

  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) const override {
    return file_->ReadAt(offset, size);
  }
  absl::Status WriteAt(std::uint64_t offset, std::string_view bytes) override {
    if (files_.carelessness_ == Carelessness::kAcknowledgedBeforeSync) files_.CatchUp();
    return file_->WriteAt(offset, bytes);
  }
  absl::Status Sync() override { return files_.SyncOf(part_, file_); }
  absl::StatusOr<std::uint64_t> Size() const override { return file_->Size(); }

 private:
  CarelessFiles& files_;
  const Part part_;
  const std::shared_ptr<File> file_;
};

absl::StatusOr<std::unique_ptr<File>> CarelessFiles::Open(const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.Open(path));
  return Wrap(path, std::move(file));
}

absl::StatusOr<std::unique_ptr<File>> CarelessFiles::Create(const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.Create(path));
  return Wrap(path, std::move(file));
}

absl::Status CarelessFiles::SyncDirectory(const std::string& directory) {
  if (carelessness_ == Carelessness::kDirectoriesNotSynced) return absl::OkStatus();
  return files_.SyncDirectory(directory);
}

CarelessFiles::Part CarelessFiles::PartOf(const std::string& path) {
  if (path.find("/journal/") != std::string::npos) return Part::kJournal;
  if (path.ends_with("/high-water")) return Part::kMark;
  return path.find("/identity") != std::string::npos ? Part::kIdentity : Part::kOther;
}

std::unique_ptr<File> CarelessFiles::Wrap(const std::string& path, std::unique_ptr<File> file) {
  return std::make_unique<CarelessFile>(*this, PartOf(path), std::move(file));
}

absl::Status CarelessFiles::SyncOf(Part part, const std::shared_ptr<File>& file) {
  const bool journal = part == Part::kJournal;
  switch (carelessness_) {
    case Carelessness::kJournalNotSynced:
      return journal ? absl::OkStatus() : file->Sync();
    case Carelessness::kIdentityNotSynced:
      return part == Part::kIdentity ? absl::OkStatus() : file->Sync();
    case Carelessness::kMarkNotSynced:
      return part == Part::kMark ? absl::OkStatus() : file->Sync();
    case Carelessness::kAcknowledgedBeforeSync:
    case Carelessness::kMarkedBeforeJournalSynced:
      if (journal) late_.push_back(file);
      if (!journal) EVERFOLD_RETURN_IF_ERROR(file->Sync());
      if (part == Part::kMark) CatchUp();
      return absl::OkStatus();
    default:
      return file->Sync();
  }
}

// Whoever asked for it has gone on long ago: an error reaches nobody.
void CarelessFiles::CatchUp() {
  for (const std::shared_ptr<File>& file : std::exchange(late_, {})) file->Sync().IgnoreError();
}

}  // namespace everfold
