// Where SQLite puts what a large sort, DISTINCT or GROUP BY does not keep in memory: files beside the database, in
// place of the system's directory for temporary files, where a disk of the machine that has nothing to do with the
// application would fill, and which others may read. They have no name from the moment on that they are there, and are
// bounded.
//
// SQLite takes them from a file system (sqlite3_vfs) of their own, which leaves all files with a name to the system's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace everfold::sqlite {

// Of their names, while they have one.
inline constexpr char kSpillPrefix[] = "spill-";

// Threading: that of the one connection that is opened with `name`. Lifetime: until after that connection.
class SpillFiles {
 public:
  // `max_bytes` are those of all its files together.
  SpillFiles(std::string directory, std::uint64_t max_bytes);
  ~SpillFiles();
  SpillFiles(const SpillFiles&) = delete;
  SpillFiles& operator=(const SpillFiles&) = delete;

  struct Vfs;  // what SQLite has of it

  // For sqlite3_open_v2.
  const char* name() const { return name_.c_str(); }
  const std::string& directory() const { return directory_; }
  std::uint64_t max_bytes() const { return max_bytes_; }

  // Room for files that come to another size. False, and remembered, if that would be too much.
  bool Resize(std::uint64_t from, std::uint64_t to);
  // True once after there was no room.
  bool TakeExceeded();

 private:
  const std::string directory_;
  const std::string name_;
  const std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  bool exceeded_ = false;
  const std::unique_ptr<Vfs> vfs_;
};

}  // namespace everfold::sqlite
