#include "everfold/projection/ahead_file.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_file.h"

namespace everfold {
namespace {

constexpr char kAhead[] = "ahead.db";
constexpr char kLock[] = "ahead.lock";

// It keeps nothing that a killed process could leave half done.
constexpr char kLockSql[] = "PRAGMA busy_timeout = %d; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE";

// The database first: what is left of its WAL alone is no database.
std::vector<std::string> PathsOf(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kAhead);
  return {path, path + "-wal", path + "-shm", path + "-journal"};
}

absl::Status OfNoUse(const std::string& why) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed, why);
}

// What has no events has taken in none that the log does not have.
absl::Status CheckWithin(const Checkpoint& checkpoint, const Checkpoint& head) {
  for (std::size_t i = 0; i < head.offsets.size(); ++i) {
    if (checkpoint.offsets[i] <= head.offsets[i]) continue;
    return OfNoUse(absl::StrFormat("it has taken in offset %d of partition %d, and the log ends at %d",
                                   checkpoint.offsets[i].value(), i, head.offsets[i].value()));
  }
  return absl::OkStatus();
}

}  // namespace

AheadFile::AheadFile(Files& files, std::string folder, std::unique_ptr<sqlite::Database> lock)
    : files_(files), folder_(std::move(folder)), path_(PathsOf(folder_).front()), lock_(std::move(lock)) {}

bool AheadFile::IsThere(const Files& files, const std::string& folder) {
  for (const std::string& path : PathsOf(folder)) {
    if (files.Exists(path)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<AheadFile>> AheadFile::Claim(Files& files, std::string folder, absl::Duration wait) {
  const std::string path = absl::StrCat(folder, "/", kLock);
  auto lock = sqlite::Database::Open(path, sqlite::Access::kReadWrite);
  absl::Status claimed = lock.status();
  if (claimed.ok()) claimed = (*lock)->Execute(absl::StrFormat(kLockSql, absl::ToInt64Milliseconds(wait)));
  if (claimed.ok()) return std::unique_ptr<AheadFile>(new AheadFile(files, std::move(folder), *std::move(lock)));
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelRebuilding,
               absl::StrFormat("%s/%s cannot be claimed; is somebody else at it? %s: %s", folder, kAhead, path,
                               std::string(claimed.message())));
}

absl::StatusOr<Checkpoint> AheadFile::CheckFits(const ProjectionType& type, const Checkpoint& head) const {
  if (!files_.Exists(path_)) return OfNoUse("there is only what was beside it");
  Checkpoint checkpoint{.epoch = head.epoch, .offsets = std::vector<Offset>(head.offsets.size())};
  {
    EVERFOLD_ASSIGN_OR_RETURN(const auto file,
                              ReadModelFile::Open(path_, type, checkpoint, ReadModelFile::Indexes::kWhenComplete));
    if (file->fit() != ReadModelFile::Fit::kCurrent) return OfNoUse("it was built by other code");
    EVERFOLD_RETURN_IF_ERROR(CheckWithin(file->checkpoint(), head));
    EVERFOLD_RETURN_IF_ERROR(file->MakeDurable());
    checkpoint = file->checkpoint();
  }
  // The last one who closes a database leaves nothing beside it.
  if (!files_.Exists(path_ + "-wal") && !files_.Exists(path_ + "-shm")) return checkpoint;
  return Error(absl::StatusCode::kInternal, reason::kReadModelFailed,
               absl::StrFormat("another program has %s open", path_));
}

bool AheadFile::IsOfNoUse(const absl::Status& fits) {
  return absl::IsFailedPrecondition(fits) || absl::IsDataLoss(fits);
}

absl::Status AheadFile::MoveTo(const std::string& path) {
  EVERFOLD_RETURN_IF_ERROR(files_.Rename(path_, path));
  return files_.SyncDirectory(folder_);
}

absl::Status AheadFile::Delete() {
  for (const std::string& path : PathsOf(folder_)) {
    if (files_.Exists(path)) EVERFOLD_RETURN_IF_ERROR(files_.Remove(path));
  }
  return absl::OkStatus();
}

}  // namespace everfold
