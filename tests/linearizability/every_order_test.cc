// The fast check against the one that tries every order, on random histories: most begin as what a store without a
// fault could have answered, and half of them are then bent somewhere.
//   EVERFOLD_SEED=n: the first seed. EVERFOLD_LIN_HISTORIES=n: so many of them.
#include "tests/linearizability/every_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "everfold/base/random.h"
#include "tests/linearizability/linearizable.h"
#include "tests/linearizability/stream_chains.h"

namespace everfold {
namespace {

constexpr std::int64_t kLastCall = 60;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// Calls to a model of a store, each at an instant within it.
class RandomHistory {
 public:
  RandomHistory(std::uint64_t seed, StreamNumber streams) : random_(seed), streams_(streams) {}

  History Make() {
    std::vector<std::int64_t> instants(4 + Below(7));
    for (std::int64_t& instant : instants) instant = 1 + static_cast<std::int64_t>(Below(kLastCall));
    std::sort(instants.begin(), instants.end());
    for (const std::int64_t instant : instants) AddCall(instant);
    for (StreamNumber stream = 0; stream < streams_; ++stream) {
      ReadFrom(0, stream, {kLastCall + 50, kLastCall + 60});
    }
    if (Below(2) == 0) Bend();
    if (Below(4) == 0) Bend();
    return std::move(history_);
  }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }
  StreamNumber AnyStream() { return static_cast<StreamNumber>(Below(streams_)); }

  void AddCall(std::int64_t instant) {
    const CallTime time{std::max<std::int64_t>(0, instant - static_cast<std::int64_t>(Below(15))),
                        instant + static_cast<std::int64_t>(Below(15))};
    const std::uint64_t choice = Below(8);
    const StreamNumber stream = AnyStream();
    if (choice == 0) return ReadFrom(Below(state_[stream].size() + 1), stream, time);
    if (choice == 1) {
      history_.reads.push_back(
          {.time = time, .stream = stream, .after = std::nullopt, .events = {}, .head = VersionOf(stream)});
      return;
    }
    AddAppend(time);
  }

  Version VersionOf(StreamNumber stream) { return Version(state_[stream].size()); }

  void ReadFrom(std::uint64_t after, StreamNumber stream, CallTime time) {
    ReadCall read{.time = time, .stream = stream, .after = Version(after), .events = {}};
    const std::vector<AppendNumber>& events = state_[stream];
    for (std::uint64_t i = after; i < events.size(); ++i) read.events.push_back({Version(i + 1), events[i]});
    history_.reads.push_back(std::move(read));
  }

  void AddAppend(CallTime time) {
    AppendCall append{.number = history_.appends.size() + 100, .time = time, .parts = {}};
    for (StreamNumber stream = AnyStream(); append.parts.empty() || Below(3) == 0; stream = AnyStream()) {
      const bool has_it = std::any_of(append.parts.begin(), append.parts.end(),
                                      [stream](const AppendPart& part) { return part.stream == stream; });
      if (has_it) break;
      append.parts.push_back({.stream = stream, .expected = Expectation(stream), .events = 1 + Below(5) / 4});
    }
    Run(append);
    if (Below(6) == 0) append.outcome = AppendOutcome::kUnknown;
    history_.appends.push_back(std::move(append));
  }

  std::optional<Version> Expectation(StreamNumber stream) {
    const std::uint64_t choice = Below(8);
    if (choice == 0) return std::nullopt;
    return Version(VersionOf(stream).value() + (choice == 1 ? 1 : 0));
  }

  void Run(AppendCall& append) {
    for (const AppendPart& part : append.parts) {
      if (part.expected.value_or(VersionOf(part.stream)) == VersionOf(part.stream)) continue;
      append.outcome = AppendOutcome::kConflict;
      append.conflicting = part.stream;
      append.actual = VersionOf(part.stream);
      return;
    }
    if (Below(10) == 0) return;  // the process died before
    append.outcome = AppendOutcome::kDone;
    for (AppendPart& part : append.parts) {
      std::vector<AppendNumber>& events = state_[part.stream];
      events.insert(events.end(), part.events, append.number);
      part.version = VersionOf(part.stream);
    }
  }

  void Bend() {
    if (Below(2) == 0 && !history_.appends.empty()) {
      BendAppend(history_.appends[Below(history_.appends.size())]);
    } else {
      BendRead(history_.reads[Below(history_.reads.size())]);
    }
  }
  // But not to behind the last reads.
  void BendTime(CallTime& time) {
    const auto by = static_cast<std::int64_t>(Below(40)) - 20;
    time.start = std::clamp<std::int64_t>(time.start + by, 0, kLastCall + 20);
    time.end = std::clamp<std::int64_t>(time.end + by, time.start, kLastCall + 40);
  }
  static void BendVersion(Version& version, bool up) {
    version = up ? version.Next() : Version(std::max<std::uint64_t>(version.value(), 1) - 1);
  }
  void BendAppend(AppendCall& append) {
    AppendPart& part = append.parts[Below(append.parts.size())];
    switch (Below(5)) {
      case 0:
        return BendVersion(append.outcome == AppendOutcome::kConflict ? append.actual : part.version, Below(2) == 0);
      case 1:
        part.expected = Version(Below(4));
        return;
      case 2:
        append.outcome = AppendOutcome::kRefused;
        return;
      default:
        return BendTime(append.time);
    }
  }
  void BendRead(ReadCall& read) {
    const bool is_last = read.time.start > kLastCall + 40;
    if (!is_last && Below(2) == 0) return BendTime(read.time);
    if (!read.after.has_value()) return BendVersion(read.head, Below(2) == 0);
    if (read.events.empty()) return;
    if (Below(2) == 0) {
      read.events.pop_back();
    } else {
      read.events[Below(read.events.size())].append = 100 + Below(history_.appends.size() + 1);
    }
  }

  SeededRandom random_;
  const StreamNumber streams_;
  std::map<StreamNumber, std::vector<AppendNumber>> state_;
  History history_;
};

std::vector<std::string> FastCheck(const History& history, Strictness strictness) {
  std::vector<std::string> violations;
  const StreamChains chains(history, violations);
  if (violations.empty()) CheckLinearizable(history, chains, strictness, violations);
  return violations;
}

std::string Describe(const History& history) {
  std::string text;
  for (const AppendCall& append : history.appends) text += Describe(append) + "\n";
  for (const ReadCall& read : history.reads) text += Describe(read) + "\n";
  return text;
}

void Compare(StreamNumber streams, Strictness strictness) {
  const std::uint64_t first = FromEnvironment("EVERFOLD_SEED", 1);
  const std::uint64_t count = FromEnvironment("EVERFOLD_LIN_HISTORIES", 5000);
  std::uint64_t linearizable = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const History history = RandomHistory(seed, streams).Make();
    const bool expected = IsLinearizableInSomeOrder(history);
    const std::vector<std::string> violations = FastCheck(history, strictness);
    ASSERT_EQ(violations.empty(), expected) << "EVERFOLD_SEED=" << seed << "\n"
                                            << Describe(history) << "the fast check: "
                                            << ::testing::PrintToString(violations);
    linearizable += expected ? 1 : 0;
  }
  EXPECT_GT(linearizable, count / 4);
  EXPECT_GT(count - linearizable, count / 4);
}

TEST(EveryOrder, TheFastCheckAgreesOnAStream) { Compare(1, Strictness::kEachStream); }

TEST(EveryOrder, TheFastCheckAgreesOnCommitsToSeveralStreams) { Compare(3, Strictness::kCommits); }

TEST(EveryOrder, StaleReadHasNone) {
  History history;
  AppendCall append{.number = 1, .time = {1, 2}, .parts = {{.stream = 0, .expected = Version(), .version = Version(1)}}};
  append.outcome = AppendOutcome::kDone;
  history.appends = {append};
  history.reads = {{.time = {2, 3}, .stream = 0, .after = std::nullopt, .events = {}, .head = Version(0)}};
  EXPECT_TRUE(IsLinearizableInSomeOrder(history));
  history.reads[0].time.start = 3;
  EXPECT_FALSE(IsLinearizableInSomeOrder(history));
}

}  // namespace
}  // namespace everfold
