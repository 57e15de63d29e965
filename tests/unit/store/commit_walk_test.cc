#include "everfold/store/commit_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/event/partitioning.h"
#include "tests/unit/store/exported_store.h"

namespace everfold {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::vector<Commit>> Walk(EventStore& store, Sequence upto) {
  std::vector<Commit> commits;
  absl::StatusOr<CommitWalk> walk = CommitWalk::Begin(store.log(), store.types(), upto);
  if (!walk.ok()) return walk.status();
  while (true) {
    const absl::StatusOr<bool> found = walk->Next();
    if (!found.ok()) return found.status();
    if (!*found) return commits;
    commits.push_back(walk->commit());
  }
}

NewEvent AnEvent(const std::string& payload) {
  NewEvent event;
  event.type = "test.v1.Written";
  event.payload = payload;
  return event;
}

AppendRequest To(const std::vector<std::string>& ids) {
  AppendRequest request;
  for (const std::string& id : ids) {
    request.streams.push_back({.stream = {"", "page", id}, .events = {AnEvent(id + "1"), AnEvent(id + "2")}});
  }
  return request;
}

std::vector<std::string> Payloads(const Commit& commit) {
  std::vector<std::string> payloads;
  for (const StreamEvents& stream : commit.streams) {
    for (const Event& event : stream.events) payloads.push_back(event.payload);
  }
  return payloads;
}

TEST(CommitWalk, PutsCommitsTogetherWithTheirStreamsInOrderOfTheirNames) {
  for (const std::uint32_t partitions : {1u, 3u, 64u}) {
    ExportedStore exported(partitions);
    exported.Append(To({"d", "b", "a", "c"}));
    exported.Append(To({"b"}));
    exported.Append(To({"e", "d"}));
    const auto commits = Walk(exported.store(), Sequence(3));
    ASSERT_EQ(commits.status(), absl::OkStatus());
    ASSERT_EQ(commits->size(), 3u);
    EXPECT_THAT(Payloads((*commits)[0]), testing::ElementsAre("a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2"));
    EXPECT_THAT(Payloads((*commits)[1]), testing::ElementsAre("b1", "b2"));
    EXPECT_EQ((*commits)[1].streams[0].first_version, Version(3));
    EXPECT_THAT(Payloads((*commits)[2]), testing::ElementsAre("d1", "d2", "e1", "e2"));
    EXPECT_EQ((*commits)[2].sequence, Sequence(3));
  }
}

TEST(CommitWalk, MeetsCommitsWithoutEvents) {
  ExportedStore exported(4);
  AppendRequest outcome;
  outcome.command = {.type = "test.v1.Write", .id = "c1", .fingerprint = "f"};
  outcome.streams.push_back({.stream = {"", "page", "a"}, .events = {}});
  exported.Append(outcome);
  const auto commits = Walk(exported.store(), Sequence(1));
  ASSERT_EQ(commits.status(), absl::OkStatus());
  ASSERT_EQ(commits->size(), 1u);
  EXPECT_EQ((*commits)[0].event_count(), 0u);
  EXPECT_EQ((*commits)[0].command, outcome.command);
}

TEST(CommitWalk, EndsWhereItIsToldTo) {
  ExportedStore exported(4);
  exported.AppendSamples(50);
  for (const std::uint64_t upto : {0u, 1u, 49u, 50u}) {
    const auto commits = Walk(exported.store(), Sequence(upto));
    ASSERT_EQ(commits.status(), absl::OkStatus());
    EXPECT_EQ(commits->size(), upto);
  }
  const auto beyond = Walk(exported.store(), Sequence(51));
  EXPECT_EQ(ReasonOf(beyond.status()), reason::kDataLoss);
  EXPECT_THAT(std::string(beyond.status().message()), HasSubstr("the log ends before commit 51"));
}

TEST(CommitWalk, RefusesALogThatLacksACommit) {
  ExportedStore exported(4);
  exported.Append(To({"a"}));
  exported.Append(To({"b"}));
  exported.Append(To({"c"}));
  const PartitionId lost = PartitionOf({"", "page", "a"}, 4);
  const auto copy = ChangedCopy(exported.storage(), [&](PartitionId partition, const std::string& chunk) {
    return partition == lost ? "" : chunk;
  });
  ASSERT_NE(copy->Head(PartitionOf({"", "page", "c"}, 4)).chunk_number, 0u) << "all in one partition";
  AsioExecutor executor(1);
  MemoryLog log(copy, executor);
  auto walk = CommitWalk::Begin(log, exported.store().types(), Sequence(3));
  ASSERT_EQ(walk.status(), absl::OkStatus());
  const auto next = walk->Next();
  EXPECT_EQ(ReasonOf(next.status()), reason::kDataLoss);
  EXPECT_THAT(std::string(next.status().message()), HasSubstr("commit 1 is missing; the next one that is there is"));
}

TEST(CommitWalk, TellsOfDamage) {
  ExportedStore exported(1);
  exported.AppendSamples(5);
  const auto copy = ChangedCopy(exported.storage(), [](PartitionId, std::string chunk) {
    chunk[chunk.size() / 2] = static_cast<char>(chunk[chunk.size() / 2] ^ 1);
    return chunk;
  });
  AsioExecutor executor(1);
  MemoryLog log(copy, executor);
  EXPECT_TRUE(absl::IsDataLoss(CommitWalk::Begin(log, exported.store().types(), Sequence(5)).status()));
}

TEST(CommitWalk, KeepsWhatAnErasedCommitHas) {
  ExportedStore exported(1);
  exported.Append(To({"a", "b"}));
  exported.Append(To({"a"}));
  ExportedStore erased(ChangedCopy(exported.storage(), [](PartitionId, const std::string& chunk) {
    const auto with = WithTombstone(chunk, Sequence(1), "asked to");
    return with.ok() ? *with : chunk;
  }));
  const auto commits = Walk(erased.store(), Sequence(2));
  ASSERT_EQ(commits.status(), absl::OkStatus());
  ASSERT_EQ(commits->size(), 2u);
  EXPECT_TRUE((*commits)[0].erased);
  ASSERT_EQ((*commits)[0].streams.size(), 2u);
  EXPECT_EQ((*commits)[0].streams[1].erased_events, 2u);
  EXPECT_FALSE((*commits)[1].erased);
  EXPECT_EQ((*commits)[1].streams[0].first_version, Version(3));
}

}  // namespace
}  // namespace everfold
