#include "tests/unit/log/synced_sizes.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <string>

#include "everfold/base/mutex.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

Mutex mutex;
std::map<std::string, off_t>& Sizes() {
  static std::map<std::string, off_t> sizes;
  return sizes;
}

void NoteSynced(int fd) {
  struct stat file {};
  std::error_code failed;
  const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), failed);
  if (failed || fstat(fd, &file) != 0) return;  // the sync itself says what is wrong
  MutexLock lock(&mutex);
  Sizes()[path.string()] = file.st_size;
}

bool LosesWhatIsNotSynced(const fs::path& file) {
  const std::string name = file.filename();
  return file.extension() == ".log" || file.extension() == ".sst" || name.starts_with("MANIFEST-");
}

}  // namespace

void CopyAfterPowerLoss(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
  MutexLock lock(&mutex);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file() || !LosesWhatIsNotSynced(entry.path())) continue;
    const auto synced = Sizes().find(entry.path().string());
    const off_t size = synced == Sizes().end() ? 0 : synced->second;
    fs::resize_file(to / fs::relative(entry.path(), from), static_cast<std::uintmax_t>(size));
  }
}

}  // namespace everfold

extern "C" int fdatasync(int fd) {
  everfold::NoteSynced(fd);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

extern "C" int fsync(int fd) {
  everfold::NoteSynced(fd);
  return static_cast<int>(syscall(SYS_fsync, fd));
}
