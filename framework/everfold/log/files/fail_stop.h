// Files for RocksDB that end at the first error, as if the machine had stopped there.
//
// RocksDB goes on after some errors in a way that its own recovery does not bear: where the sync of its MANIFEST fails
// while it ingests files, it removes the files, though the MANIFEST that names them may well be on the disk. The store
// is given up then, and does not open again. With these files nothing is changed after the first error, so that what is
// on the disk is what a crash may leave, and that RocksDB recovers from.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// After a write, a sync or a change of a name has failed, all of them fail. Reads go on. Threading: thread-safe.
std::shared_ptr<rocksdb::FileSystem> FailStop(std::shared_ptr<rocksdb::FileSystem> files);

}  // namespace everfold
