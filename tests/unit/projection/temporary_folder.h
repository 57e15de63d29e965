// A folder that goes when the test ends.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "everfold/base/check.h"
#include "gtest/gtest.h"

namespace everfold {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(::testing::TempDir() + "everfold_XXXXXX") {
    EVERFOLD_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace everfold
