// A directory of a test, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "everfold/base/check.h"

namespace everfold {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "everfold-test-XXXXXX").string();
    EVERFOLD_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;  // what is left is in the system's temporary directory
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace everfold
