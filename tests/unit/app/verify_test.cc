#include "everfold/app/verify.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

VerifiedPartition Partition(std::uint32_t number, std::uint64_t events, std::uint64_t commits, std::uint64_t streams) {
  VerifiedPartition partition{.partition = PartitionId(number)};
  partition.events = events;
  partition.commits = commits;
  partition.streams = streams;
  return partition;
}

TEST(FormatCounts, ShowsPartitionsWithCommitsAndTheSum) {
  EXPECT_EQ(FormatCounts({Partition(0, 5, 2, 1), Partition(1, 0, 0, 0), Partition(2, 7, 7, 3)}),
            "partition       events      commits      streams\n"
            "        0            5            2            1\n"
            "        2            7            7            3\n"
            "      all           12            9            4\n");
}

TEST(FormatFindings, HasALineForEach) {
  VerifyReport report;
  report.findings.push_back({PartitionId(3), 7, Offset(21), "a bit is wrong"});
  report.findings.push_back({std::nullopt, 0, Offset(), "it is empty"});
  report.findings.push_back({std::nullopt, 0, Offset(), "a byte is wrong", FindingPlace::kLogFile});
  report.findings.push_back({std::nullopt, 0, Offset(), "it has no end", FindingPlace::kLog});
  report.findings_left_out = 5;
  EXPECT_EQ(FormatFindings(report),
            "found: partition 3, chunk 7 (offset 21): a bit is wrong\n"
            "found: the index: it is empty\n"
            "found: a file of the log: a byte is wrong\n"
            "found: the log: it has no end\n"
            "found: 5 more\n");
}

TEST(VerifyReport, CountsInWords) {
  VerifyReport report;
  report.findings.push_back({std::nullopt, 0, Offset(), "it is empty"});
  EXPECT_EQ(report.status().message(), "1 thing is not as it must be, first: the index: it is empty");
  report.findings_left_out = 1;
  EXPECT_EQ(report.status().message(), "2 things are not as they must be, first: the index: it is empty");
}

}  // namespace
}  // namespace everfold
