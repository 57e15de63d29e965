// What every implementation of Files must do, as tests. One joins by describing where it works:
//
//   INSTANTIATE_TEST_SUITE_P(Posix, FilesContract, testing::Values([] { return std::make_unique<OnThisMachine>(); }));
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "everfold/log/files/files.h"
#include "gtest/gtest.h"

namespace everfold {

class FilesUnderTest {
 public:
  virtual ~FilesUnderTest() = default;
  virtual Files& files() = 0;
  // An empty directory.
  virtual std::string root() const = 0;
};

class FilesContract : public testing::TestWithParam<std::function<std::unique_ptr<FilesUnderTest>()>> {
 protected:
  FilesContract() : under_test_(GetParam()()), files_(under_test_->files()) {}

  std::string Path(const std::string& name) const { return under_test_->root() + "/" + name; }
  std::unique_ptr<File> Create(const std::string& name) { return files_.Create(Path(name)).value(); }

  std::unique_ptr<FilesUnderTest> under_test_;
  Files& files_;
};

}  // namespace everfold
