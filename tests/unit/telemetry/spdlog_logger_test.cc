#include "everfold/telemetry/spdlog_logger.h"

#include <cstdio>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::MatchesRegex;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class SpdlogLoggerTest : public testing::Test {
 protected:
  std::string Written() {
    std::string text(4096, '\0');
    std::rewind(file_.get());
    text.resize(std::fread(text.data(), 1, text.size(), file_.get()));
    return text;
  }

  std::unique_ptr<std::FILE, CloseFile> file_{std::tmpfile()};
};

TEST_F(SpdlogLoggerTest, WritesTimeLevelMessageAndFieldsWithoutColour) {
  const auto logger = MakeSpdlogLogger({.file = file_.get()});
  logger->Info("store opened", {{"partitions", "16"}});
  EXPECT_THAT(Written(), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z info "
                                      "store opened partitions=16\n"));
}

TEST_F(SpdlogLoggerTest, DropsWhatIsBelowTheLeastLevel) {
  const auto logger = MakeSpdlogLogger({.least = LogLevel::kWarning, .file = file_.get()});
  logger->Debug("a");
  logger->Info("b");
  EXPECT_EQ(Written(), "");
  logger->Warning("c");
  logger->Error("d");
  EXPECT_THAT(Written(), MatchesRegex("[^ ]+ warning c\n[^ ]+ error d\n"));
}

TEST_F(SpdlogLoggerTest, BracesInAMessageAreOnlyText) {
  const auto logger = MakeSpdlogLogger({.file = file_.get()});
  logger->Error("unclosed {", {{"id", "{}{0}"}});
  EXPECT_THAT(Written(), MatchesRegex("[^ ]+ error unclosed \\{ id=\\{\\}\\{0\\}\n"));
}

}  // namespace
}  // namespace everfold
