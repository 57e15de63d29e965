#include "everfold/projection/spill_files.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"

namespace everfold::sqlite {
namespace {

constexpr int kSectorBytes = 4096;

struct OpenSpill {
  SpillFiles& owner;
  const int fd;
  std::uint64_t bytes = 0;
};

// SQLite gives the room for it, and makes no difference between this and its own part.
struct SpillFile : sqlite3_file {
  OpenSpill* spill;
};

OpenSpill& SpillOf(sqlite3_file* file) { return *static_cast<SpillFile*>(file)->spill; }

int Close(sqlite3_file* file) {
  const std::unique_ptr<OpenSpill> spill(std::exchange(static_cast<SpillFile*>(file)->spill, nullptr));
  spill->owner.Resize(spill->bytes, 0);
  close(spill->fd);
  return SQLITE_OK;
}

// What lies beyond the end is read as zeros, and told.
int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  auto* const into = static_cast<char*>(bytes);
  int done = 0;
  while (done < size) {
    const ssize_t read = pread(SpillOf(file).fd, into + done, static_cast<std::size_t>(size - done), offset + done);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return SQLITE_IOERR_READ;
    if (read == 0) break;
    done += static_cast<int>(read);
  }
  std::memset(into + done, 0, static_cast<std::size_t>(size - done));
  return done == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  OpenSpill& spill = SpillOf(file);
  const std::uint64_t end = static_cast<std::uint64_t>(offset) + static_cast<std::uint64_t>(size);
  if (end > spill.bytes) {
    if (!spill.owner.Resize(spill.bytes, end)) return SQLITE_FULL;
    spill.bytes = end;
  }
  const auto* const from = static_cast<const char*>(bytes);
  for (int done = 0; done < size;) {
    const ssize_t written = pwrite(spill.fd, from + done, static_cast<std::size_t>(size - done), offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    done += static_cast<int>(written);
  }
  return SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  OpenSpill& spill = SpillOf(file);
  const std::uint64_t bytes = std::min(spill.bytes, static_cast<std::uint64_t>(size));
  if (ftruncate(spill.fd, static_cast<off_t>(bytes)) != 0) return SQLITE_IOERR_TRUNCATE;
  spill.owner.Resize(spill.bytes, bytes);
  spill.bytes = bytes;
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(SpillOf(file).bytes);
  return SQLITE_OK;
}

// Nobody else knows of the file, and nothing of it outlives the process.
int Sync(sqlite3_file*, int) { return SQLITE_OK; }
int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* locked) {
  *locked = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSectorBytes; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods kSpillMethods = {
    .iVersion = 1,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Lock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

struct SpillFiles::Vfs : sqlite3_vfs {
  SpillFiles* owner;
  sqlite3_vfs* system;  // for what has a name, and all that has nothing to do with files
};

namespace {

sqlite3_vfs* SystemOf(sqlite3_vfs* vfs) { return static_cast<SpillFiles::Vfs*>(vfs)->system; }

int OpenSpillFile(SpillFiles& owner, sqlite3_file* file) {
  std::string name = absl::StrCat(owner.directory(), "/", kSpillPrefix, "XXXXXX");
  const int fd = mkostemp(name.data(), O_CLOEXEC);  // for its owner alone
  if (fd < 0) return SQLITE_CANTOPEN;
  unlink(name.c_str());
  static_cast<SpillFile*>(file)->spill = new OpenSpill{.owner = owner, .fd = fd, .bytes = 0};
  file->pMethods = &kSpillMethods;
  return SQLITE_OK;
}

// What is to be gone when it is closed has no name.
int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  if (name != nullptr) return SystemOf(vfs)->xOpen(SystemOf(vfs), name, file, flags, flags_out);
  file->pMethods = nullptr;
  if (flags_out != nullptr) *flags_out = flags;
  return OpenSpillFile(*static_cast<SpillFiles::Vfs*>(vfs)->owner, file);
}
int Delete(sqlite3_vfs* vfs, const char* name, int sync) { return SystemOf(vfs)->xDelete(SystemOf(vfs), name, sync); }
int Access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return SystemOf(vfs)->xAccess(SystemOf(vfs), name, flags, result);
}
int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* full) {
  return SystemOf(vfs)->xFullPathname(SystemOf(vfs), name, size, full);
}
int Randomness(sqlite3_vfs* vfs, int size, char* bytes) {
  return SystemOf(vfs)->xRandomness(SystemOf(vfs), size, bytes);
}
int Sleep(sqlite3_vfs* vfs, int microseconds) { return SystemOf(vfs)->xSleep(SystemOf(vfs), microseconds); }
int CurrentTime(sqlite3_vfs* vfs, double* days) { return SystemOf(vfs)->xCurrentTime(SystemOf(vfs), days); }
int LastError(sqlite3_vfs* vfs, int size, char* text) {
  return SystemOf(vfs)->xGetLastError(SystemOf(vfs), size, text);
}

std::string NextName() {
  static std::atomic<std::uint64_t> number = 0;
  return absl::StrCat("everfold-spill-", ++number);
}

}  // namespace

SpillFiles::SpillFiles(std::string directory, std::uint64_t max_bytes)
    : directory_(std::move(directory)), name_(NextName()), max_bytes_(max_bytes), vfs_(std::make_unique<Vfs>()) {
  Vfs& vfs = *vfs_;
  vfs.owner = this;
  vfs.system = sqlite3_vfs_find(nullptr);
  vfs.iVersion = 1;
  vfs.szOsFile = std::max(vfs.system->szOsFile, static_cast<int>(sizeof(SpillFile)));
  vfs.mxPathname = vfs.system->mxPathname;
  vfs.zName = name_.c_str();
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xGetLastError = LastError;
  EVERFOLD_CHECK(sqlite3_vfs_register(vfs_.get(), /*makeDflt=*/0) == SQLITE_OK);
}

SpillFiles::~SpillFiles() { EVERFOLD_CHECK(sqlite3_vfs_unregister(vfs_.get()) == SQLITE_OK); }

bool SpillFiles::Resize(std::uint64_t from, std::uint64_t to) {
  if (to > from && bytes_ + (to - from) > max_bytes_) {
    exceeded_ = true;
    return false;
  }
  bytes_ = bytes_ + to - from;
  return true;
}

bool SpillFiles::TakeExceeded() { return std::exchange(exceeded_, false); }

}  // namespace everfold::sqlite
