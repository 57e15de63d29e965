#include "everfold/log/embedded/new_store.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

[[noreturn]] void RefuseToAppend() { CheckFailed(__FILE__, __LINE__, "this log can only be read"); }

class SealedLog final : public PartitionLog {
 public:
  SealedLog(const SealedChunks& sealed, LogIdentity identity)
      : sealed_(sealed), identity_(std::move(identity)), heads_(sealed.checkpoint().heads) {}

  const LogIdentity& identity() const override { return identity_; }
  PartitionHead Head(PartitionId partition) const override { return heads_[partition.value()]; }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    return sealed_.Read(partition, after, /*from=*/0);
  }
  bool atomic_across_partitions() const override { return true; }
  Strand& strand() const override { RefuseToAppend(); }
  void Append(std::vector<ChunkAppend>, Done) override { RefuseToAppend(); }
  void Watch(Hint) override { RefuseToAppend(); }
  void Close(Done) override { RefuseToAppend(); }

 private:
  const SealedChunks& sealed_;
  const LogIdentity identity_;
  const std::vector<PartitionHead> heads_;
};

namespace fs = std::filesystem;

// Without links and dots, as far as it is there.
fs::path Resolved(const std::string& directory) {
  const fs::path absolute = fs::absolute(directory);
  std::error_code failed;
  fs::path resolved = fs::weakly_canonical(absolute, failed);
  if (failed) resolved = absolute.lexically_normal();
  return resolved.has_filename() ? resolved : resolved.parent_path();  // "data/" is "data"
}

bool IsIn(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

absl::Status CheckAreApart(const std::string& a, const std::string& b) {
  const fs::path first = Resolved(a);
  const fs::path second = Resolved(b);
  if (!IsIn(first, second) && !IsIn(second, first)) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s and %s are the same directory, or one is in the other; choose one that is apart",
                               first.string(), second.string()));
}

absl::Status CheckIsOutside(const std::string& file, const std::string& directory) {
  if (file == "-") return absl::OkStatus();
  const fs::path inner = Resolved(file);
  const fs::path outer = Resolved(directory);
  if (!IsIn(inner, outer)) return absl::OkStatus();
  return Error(
      absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
      absl::StrFormat("%s is in %s, which is a data directory; choose another place", inner.string(), outer.string()));
}

absl::Status CheckIsEmpty(const Files& files, const std::string& directory) {
  if (!files.Exists(directory)) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  if (names.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is not empty, it holds %s; a store is only made in a directory that is empty or not there",
                      directory, names.front()));
}

std::unique_ptr<PartitionLog> ReadOnlyLog(const SealedChunks& sealed, const LogIdentity& identity) {
  return std::make_unique<SealedLog>(sealed, identity);
}

absl::Status CompleteStore(Files& files, const std::string& directory, const LogIdentity& identity,
                           const GroupLink& last, std::size_t journal_file_bytes) {
  EVERFOLD_RETURN_IF_ERROR(MakeJournal(files, directory, identity.epoch, last, journal_file_bytes));
  EVERFOLD_RETURN_IF_ERROR(files.SyncDirectory(SealedDirectory(directory)));
  return ReplaceFile(files, IdentityPath(directory), EncodeIdentity(identity));
}

absl::Status SetIdentityAside(Files& files, const std::string& directory) {
  EVERFOLD_RETURN_IF_ERROR(files.Rename(IdentityPath(directory), IdentityAsidePath(directory)));
  return files.SyncDirectory(directory);
}

absl::Status PutIdentityBack(Files& files, const std::string& directory) {
  EVERFOLD_RETURN_IF_ERROR(files.Rename(IdentityAsidePath(directory), IdentityPath(directory)));
  return files.SyncDirectory(directory);
}

}  // namespace everfold
