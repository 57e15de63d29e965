#include "everfold/log/embedded/store_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(const char* what, const std::string& path) {
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed,
               absl::StrFormat("cannot %s %s: %s", what, path, std::strerror(errno)));
}

// A new name is durable once the directory that holds it is synced.
absl::Status SyncDirectory(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failed("sync", path);
  close(fd);
  return status;
}

absl::Status MakeDirectory(const fs::path& path) {
  std::error_code missing;
  if (fs::is_directory(path, missing)) return absl::OkStatus();
  const fs::path parent = path.parent_path();
  EVERFOLD_RETURN_IF_ERROR(MakeDirectory(parent));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("make the directory", path);
  return SyncDirectory(parent);
}

// Who says in the file that it holds the lock.
std::string ReadHolder(int fd) {
  char text[256];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "a process that has not said who it is";
}

void WriteHolder(int fd) {
  const std::string text = absl::StrFormat("process %d (%s)", getpid(), program_invocation_short_name);
  // Only a help for people: if it cannot be written, the lock holds all the same.
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

absl::Status IsHeld(const fs::path& directory, int fd) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreLocked,
               absl::StrFormat("the store in %s is open already: %s holds it", directory.string(), ReadHolder(fd)),
               {{"directory", directory.string()}, {"holder", ReadHolder(fd)}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreDirectory>> StoreDirectory::Claim(const std::string& path) {
  std::error_code failed;
  fs::path directory = fs::absolute(path, failed).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();  // "data/" is "data"
  EVERFOLD_RETURN_IF_ERROR(MakeDirectory(directory));
  const fs::path file = directory / "holder";
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("open", file);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    WriteHolder(fd);
    return std::unique_ptr<StoreDirectory>(new StoreDirectory(directory, fd));
  }
  const absl::Status status = errno == EWOULDBLOCK ? IsHeld(directory, fd) : Failed("lock", file);
  close(fd);
  return status;
}

absl::Status StoreDirectory::CheckFree(const std::string& path) {
  const int fd = open((path + "/holder").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::OkStatus();  // nobody ever held it
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  absl::Status status = held ? IsHeld(path, fd) : absl::OkStatus();
  close(fd);
  return status;
}

StoreDirectory::~StoreDirectory() { close(holder_); }

std::uint64_t StoreDirectory::FreeBytes() const {
  struct statvfs space;
  if (statvfs(path_.c_str(), &space) != 0) return 0;
  return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
}

}  // namespace everfold
