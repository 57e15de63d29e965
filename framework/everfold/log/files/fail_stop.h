// Files for RocksDB that end at the first error, as if the machine had stopped there.
//
// RocksDB goes on after some errors in ways that lose data:
// - Where the sync of its MANIFEST fails while it ingests files, it removes the files, though the MANIFEST that names
//   them may well be on the disk. The store does not open again. With these files nothing is changed after the first
//   error, so that what is on the disk is what a crash may leave, and that RocksDB recovers from.
// - Where the properties of a table cannot be read, it takes the table for one of other options, and reads something
//   else from it, or nothing. With these files what could not be read once is not read until it is opened again.
// - Where a file cannot be read while it is ingested, it takes it for empty, and ingests that. With these files such an
//   error is one after which nothing is changed.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace everfold {

// After a write, a sync or a change of a name has failed, or a read of a file in the directory `incoming`, from which
// files are ingested, all changes fail. After a read of any other file has failed, reads of that open file do. What is
// opened later can be read. Threading: thread-safe.
std::shared_ptr<rocksdb::FileSystem> FailStop(std::shared_ptr<rocksdb::FileSystem> files, std::string incoming);

}  // namespace everfold
