#include "everfold/telemetry/logger.h"

#include "everfold/telemetry/recording_logger.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::ElementsAre;

std::string Line(std::string_view message, std::initializer_list<LogField> fields) {
  return FormatLine(message, fields);
}

TEST(FormatLine, PutsTheFieldsBehindTheMessage) {
  EXPECT_EQ(Line("store opened", {{"partitions", "16"}, {"directory", "/data"}}),
            "store opened partitions=16 directory=/data");
}

TEST(FormatLine, QuotesValuesThatWouldRunTogether) {
  EXPECT_EQ(Line("m", {{"a", "two words"}, {"b", ""}, {"c", "x=y"}}), R"(m a="two words" b="" c="x=y")");
  EXPECT_EQ(Line("m", {{"a", R"(say "hi")"}}), R"(m a="say \"hi\"")");
}

TEST(FormatLine, AValueCannotForgeALine) {
  EXPECT_EQ(Line("m", {{"id", "w1\n2026 error forged"}}), R"(m id="w1\n2026 error forged")");
  EXPECT_EQ(Line("first\nsecond", {}), R"(first\nsecond)");
}

TEST(FormatLine, KeepsUtf8AndEscapesOtherBytes) {
  EXPECT_EQ(Line("m", {{"name", "J\xc3\xbcrgen"}}), "m name=J\xc3\xbcrgen");
  EXPECT_EQ(Line("m", {{"name", "\x1b[31m"}}), R"(m name="\033[31m")");
}

TEST(LogLevel, HasAName) {
  EXPECT_EQ(ToString(LogLevel::kDebug), "debug");
  EXPECT_EQ(ToString(LogLevel::kInfo), "info");
  EXPECT_EQ(ToString(LogLevel::kWarning), "warning");
  EXPECT_EQ(ToString(LogLevel::kError), "error");
}

TEST(RecordingLogger, RemembersEveryLineInOrder) {
  RecordingLogger logger;
  logger.Debug("a");
  logger.Info("b", {{"n", "1"}});
  logger.Warning("c");
  logger.Error("d", {{"n", "2"}, {"m", "3"}});
  using Recorded = RecordingLogger::Line;
  EXPECT_THAT(
      logger.lines(),
      ElementsAre(Recorded{LogLevel::kDebug, "a", {}}, Recorded{LogLevel::kInfo, "b", {{"n", "1"}}},
                  Recorded{LogLevel::kWarning, "c", {}}, Recorded{LogLevel::kError, "d", {{"n", "2"}, {"m", "3"}}}));
}

}  // namespace
}  // namespace everfold
