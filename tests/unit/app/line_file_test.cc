#include "everfold/app/line_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LineFileTest : public ::testing::Test {
 protected:
  void Hold(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string Content() const {
    std::ostringstream content;
    content << std::ifstream(path_, std::ios::binary).rdbuf();
    return content.str();
  }
  std::vector<std::string> Lines(std::size_t max_line_bytes = 1 << 20) const {
    auto reader = LineReader::Open(path_, max_line_bytes);
    EXPECT_EQ(reader.status(), absl::OkStatus());
    std::vector<std::string> lines;
    std::string line;
    while (reader->Next(line).value_or(false)) lines.push_back(line);
    return lines;
  }

  ScratchDirectory scratch_;
  const std::string path_ = (scratch_.path() / "file").string();
};

TEST_F(LineFileTest, ReadsLines) {
  Hold("");
  EXPECT_THAT(Lines(), IsEmpty());
  Hold("a\n\nb\n");
  EXPECT_THAT(Lines(), ElementsAre("a", "", "b"));
  Hold("a\nb");
  EXPECT_THAT(Lines(), ElementsAre("a", "b"));
}

TEST_F(LineFileTest, ReadsLinesThatAreLongerThanWhatIsReadAtOnce) {
  const std::string lengthy(700'000, 'x');
  Hold("a\n" + lengthy + "\n" + lengthy + "y\nb\n");
  EXPECT_THAT(Lines(), ElementsAre("a", lengthy, lengthy + "y", "b"));
}

TEST_F(LineFileTest, RefusesALineThatIsTooLong) {
  Hold(std::string(11, 'x') + "\n");
  auto reader = LineReader::Open(path_, 10);
  ASSERT_EQ(reader.status(), absl::OkStatus());
  std::string line;
  EXPECT_EQ(reader->Next(line).status(), absl::InvalidArgumentError("it is longer than 10 bytes"));
  Hold(std::string(10, 'x') + "\n");
  EXPECT_THAT(Lines(10), ElementsAre(std::string(10, 'x')));
}

TEST_F(LineFileTest, RefusesAFileThatIsNotThere) {
  const auto reader = LineReader::Open(path_, 10);
  EXPECT_TRUE(absl::IsInvalidArgument(reader.status()));
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("cannot open " + path_));
}

TEST_F(LineFileTest, WritesANewFile) {
  auto writer = LineWriter::Create(path_);
  ASSERT_EQ(writer.status(), absl::OkStatus());
  EXPECT_EQ(writer->Write("a\n"), absl::OkStatus());
  EXPECT_EQ(writer->Write("b\n"), absl::OkStatus());
  EXPECT_EQ(writer->Finish(), absl::OkStatus());
  EXPECT_EQ(Content(), "a\nb\n");
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(LineFileTest, OverwritesNothing) {
  Hold("mine");
  EXPECT_EQ(LineWriter::Create(path_).status(),
            absl::InvalidArgumentError(path_ + " is there already, choose another name"));
  EXPECT_EQ(Content(), "mine");
}

TEST_F(LineFileTest, LeavesNoFileThatWasNotFinished) {
  {
    auto writer = LineWriter::Create(path_);
    ASSERT_EQ(writer.status(), absl::OkStatus());
    EXPECT_EQ(writer->Write("a\n"), absl::OkStatus());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LineFileTest, RefusesAFileThatCannotBeMade) {
  auto writer = LineWriter::Create("/dev/full/nowhere");
  EXPECT_TRUE(absl::IsInvalidArgument(writer.status()));
}

}  // namespace
}  // namespace everfold
