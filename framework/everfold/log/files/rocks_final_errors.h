// A RocksDB whose first error of writing is its last: whoever holds it opens it again, or calls Resume.
#pragma once

namespace rocksdb {
struct DBOptions;
}  // namespace rocksdb

namespace everfold {

// Without it RocksDB tries to go on by itself, in a thread of its own. After an error for want of space that thread and
// the end of the database wait for each other at times, for ever (seen with 7.8: one in thirty).
void StopAtFirstError(rocksdb::DBOptions& options);

}  // namespace everfold
