#include "tests/bench/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "everfold/base/status.h"

namespace everfold::bench {
namespace {

namespace fs = std::filesystem;

absl::Status DropFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot open " + path);
  // Pages that are not written yet cannot be dropped.
  const bool dropped = fdatasync(file) == 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
  close(file);
  return dropped ? absl::OkStatus() : absl::UnknownError("cannot drop from memory: " + path);
}

}  // namespace

absl::StatusOr<Scratch> Scratch::Make(const std::string& parent) {
  std::string path = parent + "/everfold-bench-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return absl::ErrnoToStatus(errno, "cannot make a directory in " + parent);
  return Scratch(std::move(path));
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, "")) {}

Scratch::~Scratch() {
  if (path_.empty()) return;
  std::error_code failed;  // what cannot be removed stays
  fs::remove_all(path_, failed);
}

absl::StatusOr<std::string> Scratch::MakeDirectory(const std::string& name) const {
  std::string path = path_ + "/" + name;
  std::error_code failed;
  fs::create_directory(path, failed);
  return failed ? absl::StatusOr<std::string>(absl::UnknownError("cannot make " + path)) : path;
}

DirectorySize SizeOf(const std::string& directory) {
  DirectorySize size;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(directory, missing)) {
    const std::uint64_t bytes = entry.is_regular_file(missing) ? entry.file_size(missing) : 0;
    if (missing || !entry.is_regular_file(missing)) continue;  // removed meanwhile, or no file
    ++size.files;
    size.bytes += bytes;
  }
  return size;
}

absl::Status DropFromMemory(const std::string& directory) {
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(directory, failed)) {
    if (entry.is_regular_file()) EVERFOLD_RETURN_IF_ERROR(DropFile(entry.path()));
  }
  return failed ? absl::UnknownError("cannot list " + directory) : absl::OkStatus();
}

}  // namespace everfold::bench
