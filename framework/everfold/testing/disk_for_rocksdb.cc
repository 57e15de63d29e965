#include "everfold/testing/disk_for_rocksdb.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace everfold {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// As RocksDB's own file system reports the system's errors.
IOStatus StatusOf(int error, const std::string& path) {
  if (error == 0) return IOStatus::OK();
  const std::string words = std::generic_category().message(error);
  if (error == ENOENT) return IOStatus::PathNotFound(path, words);
  if (error != ENOSPC) return IOStatus::IOError(path, words);
  IOStatus full = IOStatus::NoSpace(path, words);
  full.SetRetryable(true);
  full.SetScope(IOStatus::IOErrorScope::kIOErrorScopeFileSystem);
  return full;
}

// A file that RocksDB has open, in whatever way.
class OpenFile {
 public:
  OpenFile(std::string path, DiskSession::Node node, std::shared_ptr<DiskSession> session)
      : path_(std::move(path)), node_(std::move(node)), session_(std::move(session)) {}

  IOStatus Read(std::uint64_t offset, std::size_t size, Slice* result, char* scratch) const {
    const DiskResult<std::string> read = session_->Read(*node_, offset, size);
    read.value.copy(scratch, read.value.size());
    *result = Slice(scratch, read.value.size());
    return StatusOf(read.error, path_);
  }
  IOStatus Write(std::uint64_t offset, const Slice& data) {
    return StatusOf(session_->Write(*node_, offset, {data.data(), data.size()}), path_);
  }
  IOStatus Resize(std::uint64_t size) { return StatusOf(session_->Resize(*node_, size), path_); }
  IOStatus Sync() { return StatusOf(session_->Sync(*node_), path_); }
  void KeepAppendsInOrder() { session_->KeepAppendsInOrder(*node_); }
  std::uint64_t Size() const { return session_->Size(*node_).value; }

 private:
  std::string path_;
  DiskSession::Node node_;
  std::shared_ptr<DiskSession> session_;
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(OpenFile file) : file_(std::move(file)) {}

  IOStatus Read(std::size_t size, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const IOStatus status = file_.Read(position_, size, result, scratch);
    position_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t size) override {
    position_ = std::min(position_ + size, std::max(position_, file_.Size()));
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }

 private:
  OpenFile file_;
  std::uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(OpenFile file) : file_(std::move(file)) {}

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_.Read(offset, size, result, scratch);
  }
  IOStatus Prefetch(std::uint64_t, std::size_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }

 private:
  OpenFile file_;
};

// Writes on from a position. RangeSync stays what it promises: nothing.
class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(OpenFile file, std::uint64_t position) : file_(std::move(file)), position_(position) {
    file_.KeepAppendsInOrder();
  }

  using FSWritableFile::Append;
  using FSWritableFile::PositionedAppend;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const IOStatus status = file_.Write(position_, data);
    if (status.ok()) position_ += data.size();
    return status;
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions&, IODebugContext*) override {
    const IOStatus status = file_.Write(offset, data);
    if (status.ok()) position_ = offset + data.size();
    return status;
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    const IOStatus status = file_.Resize(size);
    if (status.ok()) position_ = size;
    return status;
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return file_.Sync(); }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return position_; }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }

 private:
  OpenFile file_;
  std::uint64_t position_;
};

class RandomRwFile final : public rocksdb::FSRandomRWFile {
 public:
  explicit RandomRwFile(OpenFile file) : file_(std::move(file)) {}

  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    return file_.Write(offset, data);
  }
  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_.Read(offset, size, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return file_.Sync(); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  OpenFile file_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(std::string path, std::shared_ptr<DiskSession> session)
      : path_(std::move(path)), session_(std::move(session)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return StatusOf(session_->SyncDirectory(path_), path_); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const std::string path_;
  const std::shared_ptr<DiskSession> session_;
};

struct Lock final : rocksdb::FileLock {
  explicit Lock(std::string path) : path(std::move(path)) {}
  const std::string path;
};

class SilentLogger final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  std::size_t GetLogFileSize() const override { return 0; }
};

class FileSystem final : public rocksdb::FileSystem {
 public:
  explicit FileSystem(std::shared_ptr<DiskSession> session) : session_(std::move(session)) {}

  const char* Name() const override { return "FaultyDisk"; }

  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext*) override {
    return Open(path, [&](OpenFile opened) { *file = std::make_unique<SequentialFile>(std::move(opened)); });
  }
  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext*) override {
    return Open(path, [&](OpenFile opened) { *file = std::make_unique<RandomAccessFile>(std::move(opened)); });
  }
  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) override {
    return OpenOrCreate(path, [&](OpenFile opened) {
      const IOStatus emptied = opened.Size() == 0 ? IOStatus::OK() : opened.Resize(0);
      if (emptied.ok()) *file = std::make_unique<WritableFile>(std::move(opened), 0);
      return emptied;
    });
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) override {
    return OpenOrCreate(path, [&](OpenFile opened) {
      const std::uint64_t end = opened.Size();
      *file = std::make_unique<WritableFile>(std::move(opened), end);
      return IOStatus::OK();
    });
  }
  // Overwrites the file from its beginning, and does not cut it.
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const rocksdb::FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) override {
    const IOStatus renamed = StatusOf(session_->Rename(old_path, path), old_path);
    if (!renamed.ok()) return renamed;
    return Open(path, [&](OpenFile opened) { *file = std::make_unique<WritableFile>(std::move(opened), 0); });
  }
  IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* file, IODebugContext*) override {
    return OpenOrCreate(path, [&](OpenFile opened) {
      *file = std::make_unique<RandomRwFile>(std::move(opened));
      return IOStatus::OK();
    });
  }

  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* directory,
                        IODebugContext*) override {
    const IOStatus status = StatusOf(session_->List(path).error, path);
    if (status.ok()) *directory = std::make_unique<Directory>(path, session_);
    return status;
  }
  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    const int error = session_->Find(path).error;
    return error == ENOENT ? IOStatus::NotFound(path) : StatusOf(error, path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                       IODebugContext*) override {
    DiskResult<std::vector<std::string>> list = session_->List(path);
    *names = std::move(list.value);
    return list.error == ENOENT ? IOStatus::NotFound(path) : StatusOf(list.error, path);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return StatusOf(session_->Remove(path), path);
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions&, IODebugContext*) override {
    IOStatus status;
    const IOStatus opened = Open(path, [&](OpenFile file) { status = file.Resize(size); });
    return opened.ok() ? status : opened;
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return StatusOf(session_->MakeDirectory(path), path);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    const DiskResult<DiskSession::Node> found = session_->Find(path);
    if (found.error != 0) return StatusOf(session_->MakeDirectory(path), path);
    return StatusOf(found.value->is_directory ? 0 : ENOTDIR, path);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return StatusOf(session_->RemoveDirectory(path), path);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, IODebugContext*) override {
    return Open(path, [size](const OpenFile& file) { *size = file.Size(); });
  }
  // The disk has no clock.
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, std::uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return StatusOf(session_->Find(path).error, path);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return StatusOf(session_->Rename(from, to), from);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return StatusOf(session_->Link(from, to), from);
  }
  IOStatus AreFilesSame(const std::string& a, const std::string& b, const IOOptions&, bool* same,
                        IODebugContext*) override {
    const DiskResult<DiskSession::Node> first = session_->Find(a);
    const DiskResult<DiskSession::Node> second = session_->Find(b);
    *same = first.value == second.value;
    return first.error != 0 ? StatusOf(first.error, a) : StatusOf(second.error, b);
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, IODebugContext*) override {
    *lock = nullptr;
    const IOStatus made = OpenOrCreate(path, [](OpenFile) { return IOStatus::OK(); });
    if (!made.ok()) return made;
    if (const int error = session_->Lock(path))
      return IOStatus::IOError("lock " + path, "held already: " + Words(error));
    *lock = new Lock(path);
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<Lock> held(static_cast<Lock*>(lock));
    session_->Unlock(held->path);
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions& options, std::string* path, IODebugContext* context) override {
    *path = "/tmp";
    return CreateDirIfMissing(*path, options, context);
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* logger,
                     IODebugContext*) override {
    *logger = std::make_shared<SilentLogger>();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute, IODebugContext*) override {
    *absolute = path.starts_with('/') ? path : "/" + path;
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* bytes, IODebugContext*) override {
    *bytes = session_->free_bytes();
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_directory, IODebugContext*) override {
    const DiskResult<DiskSession::Node> found = session_->Find(path);
    *is_directory = found.error == 0 && found.value->is_directory;
    return StatusOf(found.error, path);
  }

 private:
  static std::string Words(int error) { return std::generic_category().message(error); }

  // `use` gets the file.
  template <class Use>
  IOStatus Open(const std::string& path, Use use) {
    DiskResult<DiskSession::Node> found = session_->Find(path);
    if (found.error == 0 && found.value->is_directory) found.error = EISDIR;
    if (found.error == 0) use(OpenFile(path, std::move(found.value), session_));
    return StatusOf(found.error, path);
  }
  // `use` gets the file, and says what becomes of it.
  template <class Use>
  IOStatus OpenOrCreate(const std::string& path, Use use) {
    DiskResult<DiskSession::Node> found = session_->Find(path);
    if (found.error == ENOENT) found = session_->Create(path);
    if (found.error == 0 && found.value->is_directory) found.error = EISDIR;
    return found.error == 0 ? use(OpenFile(path, std::move(found.value), session_)) : StatusOf(found.error, path);
  }

  const std::shared_ptr<DiskSession> session_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> DiskForRocksDb(std::shared_ptr<DiskSession> session) {
  return std::make_shared<FileSystem>(std::move(session));
}

}  // namespace everfold
