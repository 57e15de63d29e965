// What RocksDB tells about itself, in a text file LOG for people, and nothing that anybody depends on.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class Logger;
}  // namespace rocksdb

namespace everfold {

// Begins the file anew, for its owner alone. What cannot be written is left out: RocksDB's own logger, built with its
// assertions as by Debian, ends the process at the second line that it cannot write, and a store must survive its disk.
// nullptr if the file cannot be made. Threading: thread-safe.
std::shared_ptr<rocksdb::Logger> OpenInfoLog(const std::string& path);

}  // namespace everfold
