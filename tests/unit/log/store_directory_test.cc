#include "everfold/log/embedded/store_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

mode_t ModeOf(const fs::path& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

class StoreDirectoryTest : public testing::Test {
 protected:
  ScratchDirectory scratch_;
};

TEST_F(StoreDirectoryTest, IsMadeWithItsParentsForTheOwnerAlone) {
  const fs::path path = scratch_.path() / "a" / "b" / "store";
  const auto directory = StoreDirectory::Claim(path);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ((*directory)->path(), path);
  EXPECT_EQ(ModeOf(path), 0700);
  EXPECT_EQ(ModeOf(path / "holder"), 0600);
}

TEST_F(StoreDirectoryTest, ASlashAtTheEndIsTheSameDirectory) {
  const auto directory = StoreDirectory::Claim((scratch_.path() / "store/").string());
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ((*directory)->path(), scratch_.path() / "store");
}

TEST_F(StoreDirectoryTest, IsHeldByOneAtATime) {
  auto first = StoreDirectory::Claim(scratch_.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = StoreDirectory::Claim(scratch_.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(second.status()), reason::kStoreLocked);
  EXPECT_THAT(
      std::string(second.status().message()),
      HasSubstr(absl::StrFormat("is open already: process %d (%s) holds it", getpid(), program_invocation_short_name)));
  *first = nullptr;
  EXPECT_TRUE(StoreDirectory::Claim(scratch_.path()).ok());
}

TEST_F(StoreDirectoryTest, AFileInTheWayIsAnError) {
  const fs::path file = scratch_.path() / "file";
  std::ofstream(file) << "x";
  const auto claimed = StoreDirectory::Claim(file / "store");
  EXPECT_EQ(claimed.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(claimed.status()), reason::kStorageFailed);
  EXPECT_THAT(std::string(claimed.status().message()), HasSubstr(file.string() + "/store: Not a directory"));
}

TEST_F(StoreDirectoryTest, TellsTheFreeSpace) {
  const auto directory = StoreDirectory::Claim(scratch_.path());
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_GT((*directory)->FreeBytes(), 0u);
}

}  // namespace
}  // namespace everfold
