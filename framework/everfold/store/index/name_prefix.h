// Tells RocksDB which part of a key is its name, so that its filters know names: a look for a stream or a tag that is
// not there then costs no read.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace rocksdb {
class SliceTransform;
}  // namespace rocksdb

namespace everfold {

// How many bytes that is: everything up to and including the zero byte of that number; 0 if there are fewer.
std::size_t SizeOfNames(std::string_view key, int names);
std::shared_ptr<const rocksdb::SliceTransform> NamePrefix(int names);

}  // namespace everfold
