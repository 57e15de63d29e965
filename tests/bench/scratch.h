// Where a run keeps its files: a directory of its own, removed at the end with everything in it.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace everfold::bench {

class Scratch {
 public:
  // Below `parent`, which must exist.
  static absl::StatusOr<Scratch> Make(const std::string& parent);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;

  const std::string& path() const { return path_; }
  // A new empty directory in it.
  absl::StatusOr<std::string> MakeDirectory(const std::string& name) const;

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Bytes and number of all files in a directory and below it; nothing if it is missing.
struct DirectorySize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
DirectorySize SizeOf(const std::string& directory);

// Makes the machine forget the contents of all files below `directory`, so that the next reader goes to the disk.
absl::Status DropFromMemory(const std::string& directory);

}  // namespace everfold::bench
