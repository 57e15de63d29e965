#include "everfold/store/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const StreamId kOne{"", "jar", "j1"};
const StreamId kTwo{"", "jar", "j2"};

class StreamReaderTest : public ::testing::Test {
 protected:
  // A commit a number, with so many events.
  void Append(const StreamId& stream, std::initializer_list<std::size_t> commits) {
    for (const std::size_t events : commits) {
      log_->AppendGroup({.command = {}, .streams = {{stream, std::vector<std::vector<std::string>>(events)}}});
    }
  }

  std::unique_ptr<StoreIndex> Index() {
    std::string began_anew;
    auto index = *StoreIndex::Open({}, log_->identity(), *strand_, began_anew);
    EXPECT_EQ(RecoverIndex(*log_, *index, nullptr), absl::OkStatus());
    return index;
  }
  std::vector<std::uint64_t> Versions(const StreamRange& range) { return VersionsBy(*Index(), range); }
  std::vector<std::uint64_t> VersionsBy(const StoreIndex& index, const StreamRange& range) {
    std::vector<std::uint64_t> versions;
    EXPECT_EQ(ReadStreamEvents(*log_, index, kOne, range,
                               [&versions](const RecordedEvent& event) {
                                 EXPECT_EQ(event.stream.stream, kOne);
                                 versions.push_back(event.version.value());
                                 return absl::OkStatus();
                               }),
              absl::OkStatus());
    return versions;
  }
  std::vector<std::uint64_t> VersionsAfter(std::uint64_t after) { return Versions({.after = Version(after)}); }
  std::vector<std::uint64_t> Backwards(std::uint64_t after, std::uint64_t upto, std::size_t limit = 1'000'000) {
    return Versions(
        {.after = Version(after), .upto = Version(upto), .direction = Direction::kBackwards, .limit = limit});
  }
  absl::Status Refusal(const StreamId& stream, const StreamRange& range) {
    return ReadStreamEvents(*log_, *Index(), stream, range, [](const RecordedEvent&) { return absl::OkStatus(); });
  }

  ManualExecutor executor_{1};
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  std::optional<IndexLog> log_{std::in_place, 4};
};

TEST_F(StreamReaderTest, ReadsEachVersionOnce) {
  Append(kOne, {2, 1});
  Append(kTwo, {5});
  Append(kOne, {3});
  EXPECT_THAT(VersionsAfter(0), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(VersionsAfter(4), ElementsAre(5, 6));
  EXPECT_THAT(VersionsAfter(6), IsEmpty());
}

TEST_F(StreamReaderTest, PassesErasedVersions) {
  Append(kOne, {2, 1, 2, 1, 1, 2});
  log_->Erase(Sequence(1));
  log_->Erase(Sequence(3));
  log_->Erase(Sequence(4));
  log_->Erase(Sequence(6));
  EXPECT_THAT(VersionsAfter(0), ElementsAre(3, 7));
  EXPECT_THAT(VersionsAfter(1), ElementsAre(3, 7));
  EXPECT_THAT(VersionsAfter(4), ElementsAre(7));
  EXPECT_THAT(VersionsAfter(7), IsEmpty());
}

// More of them than places are asked for at once.
TEST_F(StreamReaderTest, PassesManyErasedVersions) {
  constexpr std::uint64_t kErased = 1100;
  for (std::uint64_t i = 0; i < kErased; ++i) Append(kOne, {1});
  for (std::uint64_t i = 1; i <= kErased; ++i) log_->Erase(Sequence(i));
  Append(kOne, {1});
  EXPECT_THAT(VersionsAfter(0), ElementsAre(kErased + 1));
}

TEST_F(StreamReaderTest, ReadsAPart) {
  Append(kOne, {2, 1, 3});
  EXPECT_THAT(Versions({.after = Version(1), .upto = Version(4)}), ElementsAre(2, 3, 4));
  EXPECT_THAT(Versions({.upto = Version(1)}), ElementsAre(1));
  EXPECT_THAT(Versions({.after = Version(5), .upto = Version(99)}), ElementsAre(6));
  EXPECT_THAT(Versions({.after = Version(3), .upto = Version(3)}), IsEmpty());
  EXPECT_THAT(Versions({.after = Version(1), .limit = 2}), ElementsAre(2, 3));
}

TEST_F(StreamReaderTest, ReadsBackwards) {
  EXPECT_THAT(Backwards(0, 0), IsEmpty());
  Append(kOne, {2, 1});
  Append(kTwo, {5});
  Append(kOne, {3});
  EXPECT_THAT(Backwards(0, 0), ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(Backwards(1, 5), ElementsAre(5, 4, 3, 2));
  EXPECT_THAT(Backwards(4, 0), ElementsAre(6, 5));
  EXPECT_THAT(Backwards(0, 0, 2), ElementsAre(6, 5));
  EXPECT_THAT(Backwards(0, 99, 1), ElementsAre(6));
}

TEST_F(StreamReaderTest, PassesErasedVersionsBackwards) {
  Append(kOne, {2, 1, 2, 1, 1, 2});
  for (const std::uint64_t sequence : {1, 3, 4, 6}) log_->Erase(Sequence(sequence));
  EXPECT_THAT(Backwards(0, 0), ElementsAre(7, 3));
  EXPECT_THAT(Backwards(0, 0, 1), ElementsAre(7));
}

TEST_F(StreamReaderTest, ReadsAsOfATime) {
  Append(kOne, {2});
  const absl::Time first = log_->last_recorded_at();
  log_->MoveTime(absl::Seconds(1));
  Append(kOne, {1});
  log_->MoveTime(absl::Seconds(1));
  Append(kOne, {2, 1});
  EXPECT_THAT(Versions({.as_of = first}), ElementsAre(1, 2));
  EXPECT_THAT(Versions({.as_of = first - absl::Microseconds(1)}), IsEmpty());
  EXPECT_THAT(Versions({.as_of = first + absl::Seconds(1)}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Versions({.as_of = absl::InfiniteFuture()}), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Versions({.as_of = first + absl::Seconds(1), .direction = Direction::kBackwards, .limit = 2}),
              ElementsAre(3, 2));
}

TEST_F(StreamReaderTest, RefusesWhatIsNoRange) {
  Append(kOne, {3});
  EXPECT_EQ(ReasonOf(Refusal(kOne, {.limit = 0})), reason::kRequestInvalid);
  absl::Status status = Refusal(kOne, {.after = Version(2), .upto = Version(1)});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()), "jar/j1 cannot be read after version 2 up to version 1");
  status = Refusal(kOne, {.after = Version(4)});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(status), reason::kBeyondHead);
  EXPECT_EQ(std::string(status.message()), "jar/j1 is at version 3; it cannot be read after version 4");
  EXPECT_EQ(ReasonOf(Refusal(kOne, {.after = Version::Max()})), reason::kBeyondHead);
  EXPECT_EQ(Refusal({"", "Jar", "j1"}, {}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StreamReaderTest, EndsWithTheVisitorsError) {
  Append(kOne, {3});
  for (const Direction direction : {Direction::kForwards, Direction::kBackwards}) {
    EXPECT_EQ(ReadStreamEvents(*log_, *Index(), kOne, {.direction = direction},
                               [](const RecordedEvent&) { return absl::CancelledError("enough"); }),
              absl::CancelledError("enough"));
  }
}

// Any part, both ways, at any time, with commits of one and several chunks in between that are others'.
TEST_F(StreamReaderTest, AnyPartIsWhatIsLeftOfTheWhole) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    log_.emplace(1 + static_cast<std::uint32_t>(random.Below(3)));
    std::vector<absl::Time> recorded_at = {absl::InfinitePast()};  // by version
    std::vector<Sequence> erased;
    std::vector<bool> is_erased = {true};
    for (std::uint64_t commits = random.Below(900); commits > 0; --commits) {
      const std::size_t events = 1 + random.Below(4);
      if (random.Below(3) == 0) log_->Append({.command = {}, .streams = {{kTwo}}});
      log_->Append({.command = {}, .streams = {{kOne, std::vector<std::vector<std::string>>(events)}}});
      const bool erases = random.Below(10) == 0;
      if (erases) erased.push_back(log_->last_sequence());
      recorded_at.insert(recorded_at.end(), events, log_->last_recorded_at());
      is_erased.insert(is_erased.end(), events, erases);
      log_->MoveTime(absl::Microseconds(random.Below(3)));
      if (random.Below(4) == 0) log_->EndGroup();
    }
    log_->EndGroup();
    for (const Sequence sequence : erased) log_->Erase(sequence);
    const auto index = Index();
    const std::uint64_t head = recorded_at.size() - 1;
    for (int i = 0; i < 50; ++i) {
      StreamRange range;
      range.after = Version(random.Below(head + 1));
      if (random.Below(2) == 0)
        range.upto = Version(std::max<std::uint64_t>(1, range.after.value() + random.Below(600)));
      if (random.Below(2) == 0) range.as_of = recorded_at[random.Below(head + 1)];
      if (random.Below(2) == 0) range.direction = Direction::kBackwards;
      if (random.Below(2) == 0) range.limit = 1 + random.Below(700);
      std::vector<std::uint64_t> expected;
      for (std::uint64_t version = range.after.value() + 1; version <= head; ++version) {
        if (range.upto != Version() && version > range.upto.value()) break;
        if (range.as_of.has_value() && recorded_at[version] > *range.as_of) break;
        if (!is_erased[version]) expected.push_back(version);
      }
      if (range.direction == Direction::kBackwards) std::reverse(expected.begin(), expected.end());
      if (expected.size() > range.limit) expected.resize(range.limit);
      ASSERT_EQ(VersionsBy(*index, range), expected);
    }
  }
}

}  // namespace
}  // namespace everfold
