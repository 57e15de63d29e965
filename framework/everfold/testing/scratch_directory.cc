#include "everfold/testing/scratch_directory.h"

#include <cstdlib>
#include <filesystem>

#include "everfold/base/check.h"

namespace everfold::testing {

ScratchDirectory::ScratchDirectory() {
  const char* parent = std::getenv("TMPDIR");
  path_ = std::string(parent != nullptr ? parent : "/tmp") + "/everfold-test-XXXXXX";
  EVERFOLD_CHECK(mkdtemp(path_.data()) != nullptr);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;  // a directory that cannot be removed is no failure of the test
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace everfold::testing
