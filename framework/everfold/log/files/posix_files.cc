#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "everfold/base/status.h"
#include "everfold/log/files/file_error.h"
#include "everfold/log/files/files.h"
#include "everfold/log/files/owners_files.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

// A call that a signal interrupted has done nothing, and is made again.
template <class Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int OpenDescriptor(const std::string& path, int flags) {
  return Uninterrupted([&] { return open(path.c_str(), flags | O_CLOEXEC, 0600); });
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixFile() override { close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) const override {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const auto at = static_cast<off_t>(offset + done);
      const ssize_t read = Uninterrupted([&] { return pread(fd_, bytes.data() + done, size - done, at); });
      if (read < 0) return FileError("read", path_, errno);
      if (read == 0) break;  // the end of the file
      done += static_cast<std::size_t>(read);
    }
    bytes.resize(done);
    return bytes;
  }

  absl::Status WriteAt(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto at = static_cast<off_t>(offset);
      const ssize_t written = Uninterrupted([&] { return pwrite(fd_, bytes.data(), bytes.size(), at); });
      if (written <= 0) return FileError("write", path_, written < 0 ? errno : EIO);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return absl::OkStatus();
  }

  // A size that changed is synced with the data, as what reading it back needs.
  absl::Status Sync() override {
    if (Uninterrupted([&] { return fdatasync(fd_); }) != 0) return FileError("sync", path_, errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Size() const override {
    struct stat file;
    if (fstat(fd_, &file) != 0) return FileError("read the size of", path_, errno);
    return static_cast<std::uint64_t>(file.st_size);
  }

 private:
  const std::string path_;
  const int fd_;
};

class PosixFileSystem final : public Files {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override {
    const int fd = OpenDescriptor(path, O_RDWR);
    if (fd >= 0) return std::make_unique<PosixFile>(path, fd);
    return errno == ENOENT ? NoSuchFile(path) : FileError("open", path, errno);
  }

  // A file of the same name is removed, not cut: it keeps its rights, and others may have it open.
  absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) override {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("create", path, errno);
    const int fd = OpenDescriptor(path, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0) return FileError("create", path, errno);
    return std::make_unique<PosixFile>(path, fd);
  }

  bool Exists(const std::string& path) const override {
    std::error_code unknown;
    return fs::exists(path, unknown);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override {
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end; entry.increment(failed)) {
      names.push_back(entry->path().filename());
    }
    if (failed) return FileError("list", directory, failed.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status MakeDirectory(const std::string& path) override {
    const std::string parent = ParentOf(path);
    if (IsDirectory(path)) return SyncIfReadable(parent);
    if (parent != path) EVERFOLD_RETURN_IF_ERROR(MakeDirectory(parent));
    if (mkdir(path.c_str(), 0700) != 0 && !(errno == EEXIST && IsDirectory(path))) {
      return FileError("make the directory", path, errno);
    }
    return SyncDirectory(parent);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return FileError("rename", from + " to " + to, errno);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return FileError("remove", path, errno);
    return absl::OkStatus();
  }

  absl::Status RemoveAll(const std::string& directory) override {
    std::error_code failed;
    fs::remove_all(directory, failed);
    return failed ? FileError("remove", directory, failed.value()) : absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    const int fd = OpenDescriptor(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return FileError("open", directory, errno);
    return SyncAndClose(directory, fd);
  }

  std::uint64_t FreeBytes(const std::string& directory) const override {
    struct statvfs space;
    if (statvfs(directory.c_str(), &space) != 0) return 0;
    return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  }

  std::shared_ptr<rocksdb::FileSystem> ForRocksDb() override { return OwnersFiles(); }

 private:
  static std::string ParentOf(const std::string& path) {
    std::string parent = fs::path(path).parent_path();
    return parent.empty() ? "." : parent;
  }

  static bool IsDirectory(const std::string& path) {
    std::error_code missing;
    return fs::is_directory(path, missing);
  }

  // A directory that is there may be the work of a process that was killed before it synced its name. Where the parent
  // may not be read, it is the work of somebody else.
  static absl::Status SyncIfReadable(const std::string& directory) {
    const int fd = OpenDescriptor(directory, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? absl::OkStatus() : SyncAndClose(directory, fd);
  }

  static absl::Status SyncAndClose(const std::string& directory, int fd) {
    const bool synced = Uninterrupted([&] { return fsync(fd); }) == 0;
    const absl::Status status = synced ? absl::OkStatus() : FileError("sync", directory, errno);
    close(fd);
    return status;
  }
};

}  // namespace

Files& PosixFiles() {
  static Files& files = *new PosixFileSystem;  // never destroyed: a thread may still use it while the process ends
  return files;
}

}  // namespace everfold
