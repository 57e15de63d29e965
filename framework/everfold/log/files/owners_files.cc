#include "everfold/log/files/owners_files.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <string>

#include "everfold/log/files/rocks_info_log.h"

namespace everfold {
namespace {

// RocksDB makes files that everybody may read. Here they exist before RocksDB comes to make them, for the owner alone.
class OwnersFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  OwnersFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "OwnersFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    MakeForOwner(name);
    return target()->NewWritableFile(name, options, file, context);
  }
  rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions&,
                              std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext*) override {
    *logger = OpenInfoLog(name);
    return *logger != nullptr ? rocksdb::IOStatus::OK() : rocksdb::IOStatus::IOError("cannot be made", name);
  }
  rocksdb::IOStatus LockFile(const std::string& name, const rocksdb::IOOptions& options, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext* context) override {
    MakeForOwner(name);
    return target()->LockFile(name, options, lock, context);
  }

 private:
  // Where it fails, RocksDB fails at once at the same name, and says so.
  static void MakeForOwner(const std::string& name) {
    const int fd = open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> OwnersFiles() { return std::make_shared<OwnersFileSystem>(); }

}  // namespace everfold
