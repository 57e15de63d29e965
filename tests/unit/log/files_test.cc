#include "everfold/log/files/files.h"

#include "everfold/base/error.h"
#include "gtest/gtest.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

std::string Read(const std::string& path) { return ReadFile(PosixFiles(), path).value(); }

TEST(ReplaceFile, WritesAFileThatWasNotThere) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "identity";
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, "first"), absl::OkStatus());
  EXPECT_EQ(Read(path), "first");
}

TEST(ReplaceFile, LeavesNothingOfAFileThatWasLonger) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "identity";
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, std::string(10'000, 'x')), absl::OkStatus());
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, "short"), absl::OkStatus());
  EXPECT_EQ(Read(path), "short");
  EXPECT_EQ(PosixFiles().List(scratch.path()).value(), std::vector<std::string>{"identity"});
}

TEST(ReplaceFile, BeginsAnewWhereACrashLeftItsFileBehind) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "identity";
  ASSERT_EQ(ReplaceFile(PosixFiles(), path + ".new", "left behind"), absl::OkStatus());
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, "whole"), absl::OkStatus());
  EXPECT_EQ(Read(path), "whole");
}

TEST(ReplaceFile, KeepsTheOldFileWhereTheNewOneCannotBeWritten) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "identity";
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, "old"), absl::OkStatus());
  ASSERT_EQ(PosixFiles().MakeDirectory(path + ".new"), absl::OkStatus());
  EXPECT_EQ(ReplaceFile(PosixFiles(), path, "new").code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Read(path), "old");
}

TEST(ReadFile, SaysThatThereIsNone) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "missing";
  const absl::Status status = ReadFile(PosixFiles(), path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "cannot open " + path + ": No such file or directory");
}

TEST(ReadFile, ReadsAnEmptyFile) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() / "empty";
  ASSERT_EQ(ReplaceFile(PosixFiles(), path, ""), absl::OkStatus());
  EXPECT_EQ(Read(path), "");
}

}  // namespace
}  // namespace everfold
