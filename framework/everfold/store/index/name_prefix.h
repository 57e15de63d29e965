// Tells RocksDB which part of a key is its name, so that its filters know names: a look for a stream or a tag that is
// not there then costs no read.
#pragma once

#include <memory>

namespace rocksdb {
class SliceTransform;
}  // namespace rocksdb

namespace everfold {

// Everything up to and including the zero byte of that number.
std::shared_ptr<const rocksdb::SliceTransform> NamePrefix(int names);

}  // namespace everfold
