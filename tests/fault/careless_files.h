// Files that do less than they say, as a store with a bug would: what the tests of durability must notice.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "everfold/log/files/files.h"

namespace everfold {

enum class Carelessness {
  kNone,
  kJournalNotSynced,           // Sync of a file of the journal does nothing
  kAcknowledgedBeforeSync,     // it is done before the next write only
  kMarkedBeforeJournalSynced,  // it is done after the next mark only
  kIdentityNotSynced,
  kMarkNotSynced,
  kDirectoriesNotSynced,
};

// Threading: one thread. Lifetime: `files` outlive it, and it outlives the files that are open.
class CarelessFiles final : public Files {
 public:
  CarelessFiles(Files& files, Carelessness carelessness) : files_(files), carelessness_(carelessness) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) override;
  bool Exists(const std::string& path) const override { return files_.Exists(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override {
    return files_.List(directory);
  }
  absl::Status MakeDirectory(const std::string& path) override { return files_.MakeDirectory(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override { return files_.Rename(from, to); }
  absl::Status Remove(const std::string& path) override { return files_.Remove(path); }
  absl::Status RemoveAll(const std::string& directory) override { return files_.RemoveAll(directory); }
  absl::Status SyncDirectory(const std::string& directory) override;
  std::uint64_t FreeBytes(const std::string& directory) const override { return files_.FreeBytes(directory); }
  std::shared_ptr<rocksdb::FileSystem> ForRocksDb() override { return files_.ForRocksDb(); }

 private:
  class CarelessFile;
  enum class Part { kJournal, kMark, kIdentity, kOther };

  static Part PartOf(const std::string& path);
  std::unique_ptr<File> Wrap(const std::string& path, std::unique_ptr<File> file);
  absl::Status SyncOf(Part part, const std::shared_ptr<File>& file);
  void CatchUp();

  Files& files_;
  const Carelessness carelessness_;
  std::vector<std::shared_ptr<File>> late_;  // synced later than was said
};

}  // namespace everfold
