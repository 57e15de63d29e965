#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/app/backup.h"

namespace everfold {
namespace {

using ::testing::EndsWith;

TEST(FormatBackup, TellsWhatItHoldsAndWhatItCost) {
  EXPECT_EQ(FormatBackup({.number = 7, .events = 1234, .bytes_copied = 5678}, absl::Milliseconds(250)),
            "backup 7 holds 1,234 events; 5,678 bytes were copied in 0.2 s\n");
}

TEST(FormatSalvage, TellsWhatIsLost) {
  SalvageReport report;
  report.last_kept = Sequence(41);
  report.partitions.resize(3);
  report.partitions[0] = {
      .kept = {Offset(20), 4, {}}, .proven = {Offset(25), 5, {}}, .last_known_chunk = 5, .had_more = false};
  report.partitions[2] = {
      .kept = {Offset(30), 6, {}}, .proven = {Offset(30), 6, {}}, .last_known_chunk = 9, .had_more = true};
  report.notes = {"a file cannot be read"};
  EXPECT_EQ(FormatSalvage(report),
            "lost: a file cannot be read\n"
            "partition  kept offset   kept chunk proven chunk  known chunk  behind it\n"
            "        0           20            4            5            5  left out\n"
            "        2           30            6            6            9  lost or left out\n"
            "kept all commits up to 41, with 50 events; the first one that is missing, or left out, is 42\n");
}

TEST(FormatSalvage, NamesAMissingCommitOnlyWhereAPartitionHadMore) {
  SalvageReport report;
  report.last_kept = Sequence(41);
  report.partitions.resize(1);
  report.partitions[0] = {.kept = {Offset(20), 4, {}}, .proven = {Offset(20), 4, {}}, .last_known_chunk = 4};
  EXPECT_THAT(FormatSalvage(report), EndsWith("with 20 events; nothing is missing\n"));
  report.notes = {"a file cannot be read"};
  EXPECT_THAT(FormatSalvage(report), EndsWith("with 20 events; what is said above to be lost may have held more\n"));
}

}  // namespace
}  // namespace everfold
