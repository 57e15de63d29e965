#include "everfold/log/files/fail_stop.h"

#include <rocksdb/file_system.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"

namespace everfold {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Makes changes until one fails. A change that another thread has begun by then may still be made: it was under way.
// What is not there or not supported is no failure: RocksDB asks to find out.
class Switch {
 public:
  template <class Change>
  IOStatus Make(Change change) {
    if (stopped_) return IOStatus::IOError("nothing is written after the first error");
    IOStatus status = change();
    if (!status.ok() && !status.IsNotSupported() && !status.IsPathNotFound()) Stop();
    return status;
  }
  void Stop() { stopped_ = true; }

 private:
  std::atomic<bool> stopped_ = false;
};

// Is read until that fails. `changes`: what ends then, too; may be null.
class ReadableFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadableFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::shared_ptr<Switch> changes)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), changes_(std::move(changes)) {}

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) const override {
    if (failed_) return AfterTheFirst();
    IOStatus status = target()->Read(offset, size, options, result, scratch, context);
    if (!status.ok()) {
      Fail(status);
      if (changes_ != nullptr) changes_->Stop();
    }
    return status;
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* context) override {
    return FSRandomAccessFile::MultiRead(requests, count, options, context);  // by Read
  }
  IOStatus ReadAsync(rocksdb::FSReadRequest& request, const IOOptions& options,
                     std::function<void(const rocksdb::FSReadRequest&, void*)> done, void* argument, void** handle,
                     rocksdb::IOHandleDeleter* deleter, IODebugContext* context) override {
    return FSRandomAccessFile::ReadAsync(request, options, std::move(done), argument, handle, deleter, context);
  }

 private:
  void Fail(const IOStatus& first) const {
    MutexLock lock(&mutex_);
    if (!failed_) first_ = first.ToString();
    failed_ = true;
  }
  IOStatus AfterTheFirst() const {
    MutexLock lock(&mutex_);
    return IOStatus::IOError("the file is not read after its first error", first_);
  }

  const std::shared_ptr<Switch> changes_;
  mutable std::atomic<bool> failed_ = false;
  mutable Mutex mutex_;
  mutable std::string first_ ABSL_GUARDED_BY(mutex_);
};

class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<Switch> changes)
      : FSWritableFileOwnerWrapper(std::move(file)), changes_(std::move(changes)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Append(data, options, context); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* context) override {
    return changes_->Make([&] { return target()->Append(data, options, verification, context); });
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            IODebugContext* context) override {
    return changes_->Make([&] { return target()->PositionedAppend(data, offset, options, context); });
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo& verification, IODebugContext* context) override {
    return changes_->Make([&] { return target()->PositionedAppend(data, offset, options, verification, context); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Truncate(size, options, context); });
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Flush(options, context); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Sync(options, context); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Fsync(options, context); });
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t size, const IOOptions& options,
                     IODebugContext* context) override {
    return changes_->Make([&] { return target()->RangeSync(offset, size, options, context); });
  }

 private:
  const std::shared_ptr<Switch> changes_;
};

class RandomRwFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  RandomRwFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::shared_ptr<Switch> changes)
      : FSRandomRWFileOwnerWrapper(std::move(file)), changes_(std::move(changes)) {}

  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Write(offset, data, options, context); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Sync(options, context); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->Fsync(options, context); });
  }

 private:
  const std::shared_ptr<Switch> changes_;
};

class Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<rocksdb::FSDirectory> directory, std::shared_ptr<Switch> changes)
      : FSDirectoryWrapper(std::move(directory)), changes_(std::move(changes)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return FSDirectoryWrapper::Fsync(options, context); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& what) override {
    return changes_->Make([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, context, what); });
  }

 private:
  const std::shared_ptr<Switch> changes_;
};

class FailStopFiles final : public rocksdb::FileSystemWrapper {
 public:
  FailStopFiles(std::shared_ptr<rocksdb::FileSystem> files, std::string incoming)
      : FileSystemWrapper(std::move(files)), incoming_(std::move(incoming) + "/") {}

  const char* Name() const override { return "FailStop"; }

  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext* context) override {
    const bool ingested = path.starts_with(incoming_);
    IOStatus status = target()->NewRandomAccessFile(path, options, file, context);
    if (status.ok()) *file = std::make_unique<ReadableFile>(std::move(*file), ingested ? changes_ : nullptr);
    if (!status.ok() && ingested) changes_->Stop();
    return status;
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* context) override {
    return Opened<WritableFile>(file, [&] { return target()->NewWritableFile(path, options, file, context); });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* context) override {
    return Opened<WritableFile>(file, [&] { return target()->ReopenWritableFile(path, options, file, context); });
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* context) override {
    return Opened<WritableFile>(file,
                                [&] { return target()->ReuseWritableFile(path, old_path, options, file, context); });
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* file, IODebugContext* context) override {
    return Opened<RandomRwFile>(file, [&] { return target()->NewRandomRWFile(path, options, file, context); });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* context) override {
    IOStatus status = target()->NewDirectory(path, options, directory, context);
    if (status.ok()) *directory = std::make_unique<Directory>(std::move(*directory), changes_);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->DeleteFile(path, options, context); });
  }
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions& options,
                    IODebugContext* context) override {
    return changes_->Make([&] { return target()->Truncate(path, size, options, context); });
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->CreateDir(path, options, context); });
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->CreateDirIfMissing(path, options, context); });
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    return changes_->Make([&] { return target()->DeleteDir(path, options, context); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    return changes_->Make([&] { return target()->RenameFile(from, to, options, context); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* context) override {
    return changes_->Make([&] { return target()->LinkFile(from, to, options, context); });
  }

 private:
  // The file that `open` gives, in a wrapper of ours.
  template <class Wrapper, class OpenedFile, class Open>
  IOStatus Opened(std::unique_ptr<OpenedFile>* file, Open open) {
    IOStatus status = changes_->Make(open);
    if (status.ok()) *file = std::make_unique<Wrapper>(std::move(*file), changes_);
    return status;
  }

  const std::string incoming_;
  const std::shared_ptr<Switch> changes_ = std::make_shared<Switch>();
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> FailStop(std::shared_ptr<rocksdb::FileSystem> files, std::string incoming) {
  return std::make_shared<FailStopFiles>(std::move(files), std::move(incoming));
}

}  // namespace everfold
