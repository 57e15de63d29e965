#include "everfold/testing/faulty_sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "everfold/base/check.h"
#include "everfold/testing/disk_session.h"

namespace everfold {

namespace {

constexpr int kMaxPathBytes = 1024;
constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;

// What the file system is about, which SQLite hands to each of its calls.
struct Machine {
  FaultyDisk& disk;
  const SqliteSyncs syncs;
  sqlite3_vfs* const system;  // for what has nothing to do with files
};

Machine& MachineOf(sqlite3_vfs* vfs) { return *static_cast<Machine*>(vfs->pAppData); }

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path(); }

int CodeOf(int error, int otherwise) {
  if (error == 0) return SQLITE_OK;
  return error == ENOSPC ? SQLITE_FULL : otherwise;
}

class OpenFile {
 public:
  OpenFile(std::shared_ptr<DiskSession> session, DiskSession::Node node, std::string directory_to_sync,
           SqliteSyncs syncs)
      : session_(std::move(session)),
        node_(std::move(node)),
        directory_to_sync_(std::move(directory_to_sync)),
        syncs_(syncs) {}

  // What lies beyond the end is read as zeros, and told.
  int Read(void* bytes, std::size_t size, std::uint64_t offset) const {
    const DiskResult<std::string> read = session_->Read(*node_, offset, size);
    if (read.error != 0) return SQLITE_IOERR_READ;
    std::memset(bytes, 0, size);
    read.value.copy(static_cast<char*>(bytes), size);
    return read.value.size() == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  int Write(std::string_view bytes, std::uint64_t offset) {
    return CodeOf(session_->Write(*node_, offset, bytes), SQLITE_IOERR_WRITE);
  }
  int Resize(std::uint64_t size) { return CodeOf(session_->Resize(*node_, size), SQLITE_IOERR_TRUNCATE); }
  int Sync() {
    if (syncs_ == SqliteSyncs::kDropped) return SQLITE_OK;
    if (session_->Sync(*node_) != 0) return SQLITE_IOERR_FSYNC;
    if (directory_to_sync_.empty()) return SQLITE_OK;
    if (session_->SyncDirectory(directory_to_sync_) != 0) return SQLITE_IOERR_DIR_FSYNC;
    directory_to_sync_.clear();
    return SQLITE_OK;
  }
  int Size(sqlite3_int64* size) const {
    const DiskResult<std::uint64_t> found = session_->Size(*node_);
    *size = static_cast<sqlite3_int64>(found.value);
    return CodeOf(found.error, SQLITE_IOERR_FSTAT);
  }

  // Null where it does not exist and is not to be made.
  void* SharedMemory(std::size_t region, std::size_t size, bool make) {
    if (region >= shared_.size() && !make) return nullptr;
    while (region >= shared_.size()) shared_.emplace_back(size);
    return shared_[region].data();
  }
  void DropSharedMemory() { shared_.clear(); }

 private:
  const std::shared_ptr<DiskSession> session_;
  const DiskSession::Node node_;
  std::string directory_to_sync_;  // with the next sync; empty: none
  const SqliteSyncs syncs_;
  std::vector<std::vector<char>> shared_;
};

// SQLite gives the room for it, and makes no difference between this and its own part.
struct SqliteFile : sqlite3_file {
  OpenFile* file;
};

OpenFile& FileOf(sqlite3_file* file) { return *static_cast<SqliteFile*>(file)->file; }

int Close(sqlite3_file* file) {
  delete std::exchange(static_cast<SqliteFile*>(file)->file, nullptr);
  return SQLITE_OK;
}
int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  return FileOf(file).Read(bytes, static_cast<std::size_t>(size), static_cast<std::uint64_t>(offset));
}
int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  return FileOf(file).Write({static_cast<const char*>(bytes), static_cast<std::size_t>(size)},
                            static_cast<std::uint64_t>(offset));
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) { return FileOf(file).Resize(static_cast<std::uint64_t>(size)); }
int Sync(sqlite3_file* file, int) { return FileOf(file).Sync(); }
int FileSize(sqlite3_file* file, sqlite3_int64* size) { return FileOf(file).Size(size); }
int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* locked) {
  *locked = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return DiskContent::kSectorBytes; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  *memory = FileOf(file).SharedMemory(static_cast<std::size_t>(region), static_cast<std::size_t>(size), extend != 0);
  return SQLITE_OK;
}
int ShmLock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void ShmBarrier(sqlite3_file*) {}
int ShmUnmap(sqlite3_file* file, int) {
  FileOf(file).DropSharedMemory();
  return SQLITE_OK;
}

const sqlite3_io_methods kFileMethods = {
    .iVersion = 2,
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
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

DiskResult<DiskSession::Node> FindOrCreate(DiskSession& session, const std::string& path, int flags) {
  DiskResult<DiskSession::Node> found = session.Find(path);
  return found.error == ENOENT && (flags & SQLITE_OPEN_CREATE) != 0 ? session.Create(path) : found;
}

// Temporary files, which have no name, are refused: the read models' stay in memory.
int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const Machine& machine = MachineOf(vfs);
  file->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;
  const std::string path = name;
  std::shared_ptr<DiskSession> session = machine.disk.session();
  DiskResult<DiskSession::Node> opened = FindOrCreate(*session, path, flags);
  if (opened.error != 0) return CodeOf(opened.error, SQLITE_CANTOPEN);
  const bool new_name = (flags & kJournals) != 0 && (flags & SQLITE_OPEN_CREATE) != 0;
  static_cast<SqliteFile*>(file)->file =
      new OpenFile(std::move(session), std::move(opened.value), new_name ? ParentOf(path) : "", machine.syncs);
  file->pMethods = &kFileMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  const Machine& machine = MachineOf(vfs);
  const std::shared_ptr<DiskSession> session = machine.disk.session();
  const int error = session->Remove(name);
  if (error != 0) return error == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  if (sync_directory == 0 || machine.syncs == SqliteSyncs::kDropped) return SQLITE_OK;
  return session->SyncDirectory(ParentOf(name)) == 0 ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

// As SQLite's own has it, an empty file does not exist: it is a journal that was never written.
int Access(sqlite3_vfs* vfs, const char* name, int, int* result) {
  const std::shared_ptr<DiskSession> session = MachineOf(vfs).disk.session();
  const DiskResult<DiskSession::Node> found = session->Find(name);
  *result = found.error == 0 && session->Size(*found.value).value > 0 ? 1 : 0;
  return found.error == 0 || found.error == ENOENT ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* full) {
  EVERFOLD_CHECK(name[0] == '/' && std::strlen(name) < static_cast<std::size_t>(size));
  std::strcpy(full, name);
  return SQLITE_OK;
}

int Randomness(sqlite3_vfs* vfs, int size, char* bytes) {
  sqlite3_vfs* const system = MachineOf(vfs).system;
  return system->xRandomness(system, size, bytes);
}
int Sleep(sqlite3_vfs* vfs, int microseconds) {
  sqlite3_vfs* const system = MachineOf(vfs).system;
  return system->xSleep(system, microseconds);
}
int CurrentTime(sqlite3_vfs* vfs, double* days) {
  sqlite3_vfs* const system = MachineOf(vfs).system;
  return system->xCurrentTime(system, days);
}
int LastError(sqlite3_vfs*, int, char*) { return 0; }

sqlite3_vfs MakeVfs(Machine& machine) {
  sqlite3_vfs vfs{};
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(SqliteFile);
  vfs.mxPathname = kMaxPathBytes;
  vfs.zName = "everfold-faulty";
  vfs.pAppData = &machine;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xGetLastError = LastError;
  return vfs;
}

}  // namespace

struct FaultySqlite::Vfs {
  Machine machine;
  sqlite3_vfs vfs = MakeVfs(machine);
};

FaultySqlite::FaultySqlite(FaultyDisk& disk, SqliteSyncs syncs)
    : vfs_(new Vfs{.machine = {.disk = disk, .syncs = syncs, .system = sqlite3_vfs_find(nullptr)}}) {
  EVERFOLD_CHECK(sqlite3_vfs_register(&vfs_->vfs, 1) == SQLITE_OK);
}

FaultySqlite::~FaultySqlite() {
  EVERFOLD_CHECK(sqlite3_vfs_unregister(&vfs_->vfs) == SQLITE_OK);
  EVERFOLD_CHECK(sqlite3_vfs_register(vfs_->machine.system, 1) == SQLITE_OK);
}

}  // namespace everfold
