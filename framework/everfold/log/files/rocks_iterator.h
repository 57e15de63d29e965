// Iterators of RocksDB that tell every error.
#pragma once

namespace rocksdb {
struct ReadOptions;
}  // namespace rocksdb

namespace everfold {

// What an iterator is made with. RocksDB before 8.5.2 loses an error that it meets where it goes on to the next file of
// a level, and takes it for the end of the level (facebook/rocksdb, pull request 11782). It does so in the search for
// deleted ranges, of which there are none here.
rocksdb::ReadOptions IteratorOptions();

}  // namespace everfold
