#include "tests/bench/ring_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "everfold/base/status.h"

namespace everfold::bench {
namespace {

absl::Status WriteAll(int file, std::string_view bytes, std::size_t position) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0) return absl::ErrnoToStatus(errno, "cannot write the ring");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    position += static_cast<std::size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status FillWithZeros(int file) {
  const std::string zeros(1 << 20, '\0');
  for (std::size_t done = 0; done < RingFiles::kFileBytes; done += zeros.size()) {
    EVERFOLD_RETURN_IF_ERROR(WriteAll(file, zeros, done));
  }
  return fsync(file) == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot sync the ring");
}

}  // namespace

absl::StatusOr<std::unique_ptr<RingFiles>> RingFiles::Make(const std::string& directory) {
  std::unique_ptr<RingFiles> ring(new RingFiles);
  for (std::size_t i = 0; i < kFiles; ++i) {
    const std::string path = directory + "/ring" + std::to_string(i);
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return absl::ErrnoToStatus(errno, "cannot make " + path);
    ring->files_.push_back(file);
    EVERFOLD_RETURN_IF_ERROR(FillWithZeros(file));
  }
  return ring;
}

RingFiles::~RingFiles() {
  for (const int file : files_) close(file);
}

absl::Status RingFiles::WriteAndSync(std::string_view bytes) {
  if (position_ + bytes.size() > kFileBytes) {
    current_ = (current_ + 1) % files_.size();
    position_ = 0;
  }
  EVERFOLD_RETURN_IF_ERROR(WriteAll(files_[current_], bytes, position_));
  position_ += bytes.size();
  return fdatasync(files_[current_]) == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot sync the ring");
}

}  // namespace everfold::bench
