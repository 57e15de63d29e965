#include "everfold/log/files/rocks_iterator.h"

#include <rocksdb/options.h>

namespace everfold {

rocksdb::ReadOptions IteratorOptions() {
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;
  return options;
}

}  // namespace everfold
