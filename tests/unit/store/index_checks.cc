#include "tests/unit/store/index_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace everfold {
namespace {

constexpr std::size_t kAll = 1'000'000;

// Half of the draws are of the first four.
std::string RandomName(const char* front, RandomSource& random) {
  return front + std::to_string(random.Below(2) == 0 ? random.Below(4) : random.Below(400));
}

StreamId RandomStream(const std::string& tenant, RandomSource& random) {
  const std::string aggregate = random.Below(3) == 0 ? "jar" : "jar_of_jars";
  const bool is_long = random.Below(10) == 0;  // longer than the slot of a head
  return {tenant, aggregate,
          RandomName(is_long ? "a name that is longer than most names of streams are " : "j", random)};
}

std::vector<std::vector<std::string>> RandomTags(RandomSource& random) {
  std::vector<std::vector<std::string>> tags(1 + random.Below(3));
  for (auto& of_event : tags) {
    std::set<std::string> distinct;
    for (std::uint64_t count = random.Below(3); count > 0; --count) distinct.insert(RandomName("t", random));
    of_event.assign(distinct.begin(), distinct.end());
  }
  return tags;
}

std::string RandomType(RandomSource& random) {
  constexpr const char* kTypes[] = {"test.v1.Filled", "test.v1.Emptied", "test.v1.Broken"};
  return kTypes[random.Below(10) == 0 ? 2 : random.Below(2)];
}

void ExpectSaysOfStream(const StoreIndex& index, const IndexLog& log, const StreamId& stream) {
  const Version version = log.VersionOf(stream);
  EXPECT_EQ(*index.VersionOf(stream), version) << stream.ToString();
  for (const std::uint64_t after : {std::uint64_t{0}, version.value() / 2, version.value() - 1, version.value()}) {
    for (const std::size_t limit : {std::size_t{3}, kAll}) {
      EXPECT_EQ(*index.PlacesAfter(stream, Version(after), limit), log.PlacesAfter(stream, Version(after), limit))
          << stream.ToString() << " after " << after;
    }
  }
}

void ExpectSaysOfTag(const StoreIndex& index, const IndexLog& log, const std::string& tenant, const std::string& tag) {
  const std::vector<TaggedEvent> all = log.TaggedAfter(tenant, tag, Sequence(), kAll);
  const std::uint64_t last = all.back().sequence.value();
  const std::uint64_t before = all[all.size() - std::min<std::size_t>(all.size(), 2)].sequence.value();
  for (const std::uint64_t after : {std::uint64_t{0}, log.last_sequence().value() / 2, before, last - 1, last}) {
    for (const std::size_t limit : {std::size_t{3}, kAll}) {
      EXPECT_EQ(*index.TaggedAfter(tenant, tag, Sequence(after), limit),
                log.TaggedAfter(tenant, tag, Sequence(after), limit))
          << tag << " after " << after;
    }
  }
}

}  // namespace

IndexedCommit RandomCommit(RandomSource& random) {
  IndexedCommit commit;
  const std::string tenant = random.Below(3) == 0 ? "t" : "";
  std::set<StreamId> streams;
  for (std::uint64_t count = random.Below(8) == 0 ? 4 : 1; count > 0; --count) {
    streams.insert(RandomStream(tenant, random));
  }
  if (random.Below(10) == 0) streams.clear();
  for (const StreamId& stream : streams) commit.streams.push_back({stream, RandomTags(random), RandomType(random)});
  const bool known = random.Below(20) == 0;
  if (streams.empty() || random.Below(2) == 0) {
    commit.command = {"test.v1.Fill", "c" + std::to_string(known ? random.Below(5) : random.Next()), "f"};
  }
  return commit;
}

void AddGroup(IndexLog& log, StoreIndex& index) {
  for (const std::string& chunk : log.EndGroup()) ASSERT_EQ(index.Add(chunk), absl::OkStatus());
  index.CompleteGroup(log.last_sequence(), log.last_recorded_at());
}

void ExpectSays(const StoreIndex& index, const IndexLog& log) {
  for (const StreamId& stream : log.Streams()) ExpectSaysOfStream(index, log, stream);
  for (const auto& [tenant, tag] : log.Tags()) ExpectSaysOfTag(index, log, tenant, tag);
  for (const auto& [tenant, type] : log.Types()) EXPECT_EQ(*index.LatestOf(tenant, type), log.LatestOf(tenant, type));
  EXPECT_EQ(*index.LatestOf("", "test.v1.None"), std::nullopt);
  for (const CommandKey& command : log.Commands()) {
    EXPECT_THAT(*index.FindCommand(command), ::testing::UnorderedElementsAreArray(log.Places(command))) << command.id;
  }
  EXPECT_EQ(*index.VersionOf({"", "jar", "none"}), Version());
  EXPECT_THAT(*index.PlacesAfter({"", "jar", "none"}, Version(), kAll), ::testing::IsEmpty());
  EXPECT_THAT(*index.TaggedAfter("", "none", Sequence(), kAll), ::testing::IsEmpty());
  EXPECT_THAT(*index.FindCommand({"", "test.v1.Fill", "none"}), ::testing::IsEmpty());
  for (std::uint32_t i = 0; i < log.identity().partitions; ++i) {
    EXPECT_EQ(index.tail().heads[i], log.Head(PartitionId(i)));
  }
}

}  // namespace everfold
