#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "everfold/base/mutex.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/index/generation_writer.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/index_lookups.h"
#include "everfold/store/store_index.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

constexpr int kStreams = 50;
constexpr int kAllStreams = 2000;  // more than a start reads at once

StreamId StreamOf(std::uint64_t number) { return {"", "jar", "j" + std::to_string(number)}; }
// One of a few, or of all.
std::uint64_t SomeStream(RandomSource& random) { return random.Below(random.Below(2) == 0 ? kStreams : kAllStreams); }

// Looks at streams while they grow: versions never go back, and places are whole.
void Read(const StoreIndex& index, std::uint64_t seed, const std::atomic<bool>& done) {
  SeededRandom random(seed);
  std::vector<Version> seen(kAllStreams);
  while (!done) {
    const std::uint64_t number = SomeStream(random);
    const Version version = *index.VersionOf(StreamOf(number));
    ASSERT_GE(version, seen[number]);
    seen[number] = version;
    // Each commit adds one event.
    const std::vector<StreamPlace> places = *index.PlacesAfter(StreamOf(number), Version(), 1'000'000);
    ASSERT_GE(places.size(), version.value());
    for (std::size_t i = 0; i < places.size(); ++i) ASSERT_EQ(places[i].first_version, Version(i + 1));
    const std::vector<TaggedEvent> tagged = *index.TaggedAfter("", "red", Sequence(), 1'000'000);
    for (std::size_t i = 1; i < tagged.size(); ++i) ASSERT_LT(tagged[i - 1].sequence, tagged[i].sequence);
    const auto command = index.FindCommand({"", "test.v1.Fill", std::to_string(number)});
    ASSERT_LE(command->size(), 1u);
  }
}

TEST(IndexConcurrencyTest, ReadersSeeAllThatIsThereWhileItGrowsAndIsWritten) {
  ScratchDirectory scratch;
  DiskThread disk("index");
  IndexLog log(4);
  StoreIndexOptions options;
  options.files = &PosixFiles();
  options.directory = (scratch.path() / "index").string();
  options.max_memory_bytes = 10'000;
  SeededRandom random(7);
  for (int start = 0; start < 4; ++start) {
    options.head_bytes = std::size_t{2048} << (3 * start);  // the first holds few, the last all
    std::string began_anew;
    const auto index = *StoreIndex::Open(options, log.identity(), disk, began_anew);
    std::atomic<bool> done = false;
    {
      std::vector<std::jthread> readers;
      for (std::uint64_t seed = 1; seed <= 2; ++seed) readers.emplace_back([&, seed] { Read(*index, seed, done); });
      for (std::uint64_t i = 0; i < 1500; ++i) {
        log.Append({.command = {"test.v1.Fill", std::to_string(log.last_sequence().value()), "f"},
                    .streams = {{StreamOf(SomeStream(random)), {{i % 10 == 0 ? "red" : "blue"}}}}});
        if (i % 5 == 0) AddGroup(log, *index);
        if (!index->full()) continue;
        Notification room;
        index->WhenRoom([&] { room.Notify(); });
        room.WaitForNotification();
      }
      AddGroup(log, *index);
      done = true;
    }
    EXPECT_EQ(index->health(), absl::OkStatus());
    ExpectSays(*index, log);
    Notification closed;
    index->Close([&] { closed.Notify(); });
    closed.WaitForNotification();
  }
}

// As the index does in idle time, but without a rest, and given up at any moment.
TEST(IndexConcurrencyTest, RunsAreMergedBesideWrites) {
  constexpr std::uint64_t kGenerations = 150;
  ScratchDirectory scratch;
  const auto database = IndexDatabase::Create(PosixFiles(), (scratch.path() / "index").string(), 1 << 20);
  ASSERT_EQ(database.status(), absl::OkStatus());
  const auto name_of = [](int number) { return EntryName::OfStream("", "jar", "j" + std::to_string(number)); };
  IndexCheckpoint checkpoint;
  std::atomic<bool> cancelled = false, done = false;
  {
    std::jthread merging([&] {
      while (!done) {
        cancelled = false;
        EXPECT_EQ((*database)->MergeRuns(1 << 30, cancelled), absl::OkStatus());
      }
    });
    for (std::uint64_t version = 1; version <= kGenerations; ++version) {
      IndexGeneration generation;
      for (int i = 0; i < 4 * kStreams; ++i) generation.AddStream(name_of(i), {Version(version), Offset(version), 1});
      checkpoint.tail.last_sequence = Sequence(version);
      EXPECT_EQ(WriteGeneration(**database, generation, checkpoint, "identity"), absl::OkStatus());
      if (version % 4 == 0) cancelled = true;
    }
    done = true;
    cancelled = true;
  }
  cancelled = false;
  EXPECT_EQ((*database)->MergeRuns(1 << 30, cancelled), absl::OkStatus());
  EXPECT_EQ((*database)->runs(), 1u);
  for (int i = 0; i < 4 * kStreams; ++i) EXPECT_EQ(*FindVersion(**database, name_of(i).bytes()), Version(kGenerations));
}

}  // namespace
}  // namespace everfold
