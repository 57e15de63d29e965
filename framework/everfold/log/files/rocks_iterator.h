// Iterators of RocksDB that tell every error.
#pragma once

#include <rocksdb/options.h>

namespace everfold {

// What an iterator is made with. RocksDB before 8.5.2 loses an error that it meets where it goes on to the next file of a
// level, and takes it for the end of the level (facebook/rocksdb, pull request 11782). It does so in the search for
// deleted ranges, of which there are none here.
inline rocksdb::ReadOptions IteratorOptions() {
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;
  return options;
}

}  // namespace everfold
