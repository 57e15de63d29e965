#include "tests/unit/log/files_contract.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void ExpectFailure(const absl::Status& status, const std::string& message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kStorageFailed);
  EXPECT_EQ(status.message(), message);
}

}  // namespace

TEST_P(FilesContract, ReadsWhatWasWritten) {
  const std::unique_ptr<File> file = Create("journal");
  ASSERT_EQ(file->WriteAt(0, "0123456789"), absl::OkStatus());
  ASSERT_EQ(file->WriteAt(3, "xyz"), absl::OkStatus());
  EXPECT_EQ(file->Sync(), absl::OkStatus());
  EXPECT_EQ(file->ReadAt(0, 10).value(), "012xyz6789");
  EXPECT_EQ(file->ReadAt(4, 3).value(), "yz6");
  EXPECT_EQ(file->Size().value(), 10u);
}

TEST_P(FilesContract, ReadsLessOnlyWhereTheFileEnds) {
  const std::unique_ptr<File> file = Create("journal");
  ASSERT_EQ(file->WriteAt(0, "0123456789"), absl::OkStatus());
  EXPECT_EQ(file->ReadAt(8, 100).value(), "89");
  EXPECT_EQ(file->ReadAt(10, 100).value(), "");
  EXPECT_EQ(file->ReadAt(1'000, 100).value(), "");
}

TEST_P(FilesContract, WritesBeyondTheEndLeaveZeros) {
  const std::unique_ptr<File> file = Create("journal");
  ASSERT_EQ(file->WriteAt(3, "x"), absl::OkStatus());
  EXPECT_EQ(file->ReadAt(0, 10).value(), std::string("\0\0\0x", 4));
}

TEST_P(FilesContract, AnOpenedFileIsTheOneThatWasCreated) {
  ASSERT_EQ(Create("journal")->WriteAt(0, "first"), absl::OkStatus());
  const std::unique_ptr<File> again = files_.Open(Path("journal")).value();
  ASSERT_EQ(again->WriteAt(5, " second"), absl::OkStatus());
  EXPECT_EQ(ReadFile(files_, Path("journal")).value(), "first second");
}

TEST_P(FilesContract, OpeningWhatIsNotThereIsNotFound) {
  const absl::Status status = files_.Open(Path("journal")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "cannot open " + Path("journal") + ": No such file or directory");
}

TEST_P(FilesContract, CreatesInPlaceOfAnotherFileAndLeavesItToThoseWhoHaveItOpen) {
  const std::unique_ptr<File> before = Create("journal");
  ASSERT_EQ(before->WriteAt(0, "before"), absl::OkStatus());
  const std::unique_ptr<File> after = Create("journal");
  EXPECT_EQ(after->Size().value(), 0u);
  EXPECT_EQ(before->ReadAt(0, 10).value(), "before");
}

TEST_P(FilesContract, OtherErrorsNameTheOperationAndThePath) {
  ASSERT_EQ(files_.MakeDirectory(Path("d")), absl::OkStatus());
  Create("d/file");
  ExpectFailure(files_.Open(Path("d")).status(), "cannot open " + Path("d") + ": Is a directory");
  ExpectFailure(files_.Create(Path("d")).status(), "cannot create " + Path("d") + ": Is a directory");
  ExpectFailure(files_.Create(Path("x/y")).status(), "cannot create " + Path("x/y") + ": No such file or directory");
  ExpectFailure(files_.Rename(Path("x"), Path("y")),
                "cannot rename " + Path("x") + " to " + Path("y") + ": No such file or directory");
  ExpectFailure(files_.Remove(Path("x")), "cannot remove " + Path("x") + ": No such file or directory");
  ExpectFailure(files_.List(Path("x")).status(), "cannot list " + Path("x") + ": No such file or directory");
  ExpectFailure(files_.SyncDirectory(Path("x")), "cannot open " + Path("x") + ": No such file or directory");
  ExpectFailure(files_.MakeDirectory(Path("d/file")), "cannot make the directory " + Path("d/file") + ": File exists");
}

TEST_P(FilesContract, ListsNamesInOrder) {
  for (const char* name : {"b", "a", "c"}) Create(name);
  ASSERT_EQ(files_.MakeDirectory(Path("bb")), absl::OkStatus());
  EXPECT_THAT(files_.List(under_test_->root()).value(), ElementsAre("a", "b", "bb", "c"));
}

TEST_P(FilesContract, MakesADirectoryThatIsThereAlready) {
  EXPECT_EQ(files_.MakeDirectory(Path("a/b/c")), absl::OkStatus());
  EXPECT_EQ(files_.MakeDirectory(Path("a/b/c")), absl::OkStatus());
  EXPECT_EQ(files_.MakeDirectory("/"), absl::OkStatus());
  EXPECT_TRUE(files_.Exists(Path("a/b/c")));
}

TEST_P(FilesContract, ARenamedFileIsThereUnderItsNewNameOnly) {
  ASSERT_EQ(Create("a")->WriteAt(0, "a"), absl::OkStatus());
  ASSERT_EQ(Create("b")->WriteAt(0, "b"), absl::OkStatus());
  ASSERT_EQ(files_.Rename(Path("a"), Path("b")), absl::OkStatus());
  EXPECT_EQ(files_.SyncDirectory(under_test_->root()), absl::OkStatus());
  EXPECT_FALSE(files_.Exists(Path("a")));
  EXPECT_EQ(ReadFile(files_, Path("b")).value(), "a");
}

TEST_P(FilesContract, RemovesFilesAndWholeDirectories) {
  Create("file");
  ASSERT_EQ(files_.MakeDirectory(Path("a/b")), absl::OkStatus());
  Create("a/b/file");
  EXPECT_EQ(files_.Remove(Path("file")), absl::OkStatus());
  EXPECT_EQ(files_.RemoveAll(Path("a")), absl::OkStatus());
  EXPECT_EQ(files_.RemoveAll(Path("a")), absl::OkStatus());
  EXPECT_THAT(files_.List(under_test_->root()).value(), IsEmpty());
}

}  // namespace everfold
