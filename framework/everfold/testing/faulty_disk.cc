#include "everfold/testing/faulty_disk.h"

#include <cerrno>
#include <filesystem>
#include <utility>

#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/log/files/file_error.h"
#include "everfold/testing/disk_for_rocksdb.h"
#include "everfold/testing/disk_session.h"

namespace everfold {
namespace {

absl::Status StatusOf(int error, const char* operation, const std::string& path) {
  return error == 0 ? absl::OkStatus() : FileError(operation, path, error);
}

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path(); }

class FaultyFile final : public File {
 public:
  FaultyFile(std::string path, DiskSession::Node node, std::shared_ptr<DiskSession> session)
      : path_(std::move(path)), node_(std::move(node)), session_(std::move(session)) {}

  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) const override {
    DiskResult<std::string> read = session_->Read(*node_, offset, size);
    if (read.error != 0) return FileError("read", path_, read.error);
    return std::move(read.value);
  }
  absl::Status WriteAt(std::uint64_t offset, std::string_view bytes) override {
    return StatusOf(session_->Write(*node_, offset, bytes), "write", path_);
  }
  absl::Status Sync() override { return StatusOf(session_->Sync(*node_), "sync", path_); }
  absl::StatusOr<std::uint64_t> Size() const override {
    const DiskResult<std::uint64_t> size = session_->Size(*node_);
    if (size.error != 0) return FileError("read the size of", path_, size.error);
    return size.value;
  }

 private:
  const std::string path_;
  const DiskSession::Node node_;
  const std::shared_ptr<DiskSession> session_;
};

absl::Status RemoveTree(DiskSession& session, const std::string& path) {
  const DiskResult<DiskSession::Node> found = session.Find(path);
  if (found.error != 0) return found.error == ENOENT ? absl::OkStatus() : FileError("remove", path, found.error);
  if (!found.value->is_directory) return StatusOf(session.Remove(path), "remove", path);
  for (const std::string& name : session.List(path).value) {
    EVERFOLD_RETURN_IF_ERROR(RemoveTree(session, path + "/" + name));
  }
  return StatusOf(session.RemoveDirectory(path), "remove", path);
}

// A file that a test means to damage.
DiskNode& FileIn(const DiskTree& tree, const std::string& path) {
  const DiskTree::Node node = tree.Find(path);
  EVERFOLD_CHECK(node != nullptr && !node->is_directory);
  return *node;
}

void AddCopy(DiskTree& tree, const std::string& path, const std::string& bytes) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    auto directory = std::make_shared<DiskNode>();
    directory->is_directory = true;
    tree.Add(path.substr(0, end), std::move(directory));  // if it is there, it is the same
  }
  auto file = std::make_shared<DiskNode>();
  file->content.Become(bytes);
  EVERFOLD_CHECK(tree.Add(path, std::move(file)) == 0);
}

}  // namespace

FaultyDisk::FaultyDisk() : session_(std::make_shared<DiskSession>(DiskTree(), faults_)) {}

FaultyDisk::~FaultyDisk() = default;

std::shared_ptr<DiskSession> FaultyDisk::session() const {
  MutexLock lock(&mutex_);
  return session_;
}

absl::StatusOr<std::unique_ptr<File>> FaultyDisk::Open(const std::string& path) {
  const std::shared_ptr<DiskSession> disk = session();
  DiskResult<DiskSession::Node> found = disk->Find(path);
  if (found.error == ENOENT) return NoSuchFile(path);
  if (found.error != 0) return FileError("open", path, found.error);
  if (found.value->is_directory) return FileError("open", path, EISDIR);
  return std::make_unique<FaultyFile>(path, std::move(found.value), disk);
}

absl::StatusOr<std::unique_ptr<File>> FaultyDisk::Create(const std::string& path) {
  const std::shared_ptr<DiskSession> disk = session();
  if (disk->Find(path).error == 0) EVERFOLD_RETURN_IF_ERROR(StatusOf(disk->Remove(path), "create", path));
  DiskResult<DiskSession::Node> created = disk->Create(path);
  if (created.error != 0) return FileError("create", path, created.error);
  return std::make_unique<FaultyFile>(path, std::move(created.value), disk);
}

bool FaultyDisk::Exists(const std::string& path) const { return session()->Find(path).error == 0; }

absl::StatusOr<std::vector<std::string>> FaultyDisk::List(const std::string& directory) const {
  DiskResult<std::vector<std::string>> names = session()->List(directory);
  if (names.error != 0) return FileError("list", directory, names.error);
  return std::move(names.value);
}

absl::Status FaultyDisk::MakeDirectory(const std::string& path) {
  const std::shared_ptr<DiskSession> disk = session();
  const std::string parent = ParentOf(path);
  const DiskResult<DiskSession::Node> found = disk->Find(path);
  const bool is_there = found.error == 0 && found.value->is_directory;
  if (!is_there) {
    if (parent != path) EVERFOLD_RETURN_IF_ERROR(MakeDirectory(parent));
    EVERFOLD_RETURN_IF_ERROR(StatusOf(disk->MakeDirectory(path), "make the directory", path));
  }
  return SyncDirectory(parent);
}

absl::Status FaultyDisk::Rename(const std::string& from, const std::string& to) {
  return StatusOf(session()->Rename(from, to), "rename", from + " to " + to);
}

absl::Status FaultyDisk::Remove(const std::string& path) { return StatusOf(session()->Remove(path), "remove", path); }

absl::Status FaultyDisk::RemoveAll(const std::string& directory) { return RemoveTree(*session(), directory); }

absl::Status FaultyDisk::SyncDirectory(const std::string& directory) {
  const int error = session()->SyncDirectory(directory);
  return StatusOf(error, error == ENOENT || error == ENOTDIR ? "open" : "sync", directory);
}

std::uint64_t FaultyDisk::FreeBytes(const std::string& directory) const {
  const std::shared_ptr<DiskSession> disk = session();
  return disk->Find(directory).error == 0 ? disk->free_bytes() : 0;
}

std::shared_ptr<rocksdb::FileSystem> FaultyDisk::ForRocksDb() { return DiskForRocksDb(session()); }

void FaultyDisk::LosePower(RandomSource& random) { session()->LosePower(random); }

void FaultyDisk::Restore() {
  faults_->Stop();
  MutexLock lock(&mutex_);
  const std::uint64_t free_bytes = session_->free_bytes();
  session_ = std::make_shared<DiskSession>(session_->TakeRemains(), faults_);
  session_->set_free_bytes(free_bytes);
}

void FaultyDisk::FailFrom(std::uint64_t n, DiskFault fault, FaultTimes times, DiskOperation operations) {
  faults_->FailFrom(n, fault, times, operations);
}

void FaultyDisk::StopFailing() { faults_->Stop(); }

std::uint64_t FaultyDisk::operations(DiskOperation of) const { return faults_->operations(of); }

std::uint64_t FaultyDisk::failures() const { return faults_->failures(); }

void FaultyDisk::FlipBit(const std::string& path, std::uint64_t offset, unsigned bit) {
  session()->Examine([&](DiskTree& tree) {
    DiskContent& content = FileIn(tree, path).content;
    std::string bytes = content.bytes();
    EVERFOLD_CHECK(offset < bytes.size() && bit < 8);
    bytes[offset] ^= static_cast<char>(1u << bit);
    content.Become(std::move(bytes));
  });
}

void FaultyDisk::Truncate(const std::string& path, std::uint64_t size) {
  session()->Examine([&](DiskTree& tree) {
    DiskContent& content = FileIn(tree, path).content;
    EVERFOLD_CHECK(size <= content.bytes().size());
    content.Become(content.bytes().substr(0, size));
  });
}

void FaultyDisk::Zero(const std::string& path, std::uint64_t from, std::uint64_t to) {
  session()->Examine([&](DiskTree& tree) {
    DiskContent& content = FileIn(tree, path).content;
    std::string bytes = content.bytes();
    EVERFOLD_CHECK(from <= to && to <= bytes.size());
    bytes.replace(from, to - from, to - from, '\0');
    content.Become(std::move(bytes));
  });
}

void FaultyDisk::Swap(const std::string& a, const std::string& b) {
  session()->Examine([&](DiskTree& tree) {
    const std::string bytes = FileIn(tree, a).content.bytes();
    FileIn(tree, a).content.Become(FileIn(tree, b).content.bytes());
    FileIn(tree, b).content.Become(bytes);
  });
}

void FaultyDisk::Lose(const std::string& path) {
  session()->Examine([&](DiskTree& tree) {
    FileIn(tree, path);
    EVERFOLD_CHECK(tree.Remove(path) == 0 && tree.Sync(ParentOf(path)) == 0);
  });
}

std::vector<std::string> FaultyDisk::AllFiles() const {
  std::vector<std::string> paths;
  session()->Examine([&](const DiskTree& tree) { paths = tree.Files(); });
  return paths;
}

std::unique_ptr<FaultyDisk> FaultyDisk::Copy() const {
  auto copy = std::make_unique<FaultyDisk>();
  session()->Examine([&](const DiskTree& from) {
    copy->session()->Examine([&](DiskTree& to) {
      for (const std::string& path : from.Files()) AddCopy(to, path, FileIn(from, path).content.bytes());
      to.SyncAll();
    });
  });
  return copy;
}

void FaultyDisk::set_free_bytes(std::uint64_t bytes) { session()->set_free_bytes(bytes); }

}  // namespace everfold
