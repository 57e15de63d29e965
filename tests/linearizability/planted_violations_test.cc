// Every kind of violation, planted into a history that has none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/linearizability/history_check.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AppendPart Part(StreamNumber stream, std::uint64_t expected, std::uint64_t events, std::uint64_t version = 0) {
  return {.stream = stream, .expected = Version(expected), .events = events, .version = Version(version)};
}

AppendCall Append(AppendNumber number, CallTime time, std::vector<AppendPart> parts, std::uint64_t sequence) {
  AppendCall append{.number = number, .time = time, .parts = std::move(parts)};
  append.outcome = AppendOutcome::kDone;
  append.sequence = Sequence(sequence);
  return append;
}

AppendCall Unknown(AppendNumber number, CallTime time, std::vector<AppendPart> parts) {
  return {.number = number, .time = time, .parts = std::move(parts)};
}

AppendCall Conflict(AppendNumber number, CallTime time, std::vector<AppendPart> parts, std::uint64_t actual) {
  AppendCall append{.number = number, .time = time, .parts = std::move(parts)};
  append.outcome = AppendOutcome::kConflict;
  append.conflicting = append.parts.front().stream;
  append.actual = Version(actual);
  return append;
}

ReadCall ReadOfHead(CallTime time, StreamNumber stream, std::uint64_t head) {
  return {.time = time, .stream = stream, .after = std::nullopt, .events = {}, .head = Version(head)};
}

ReadCall ReadOfAll(CallTime time, StreamNumber stream, const std::vector<AppendNumber>& appends) {
  ReadCall read{.time = time, .stream = stream, .after = Version(), .events = {}};
  for (const AppendNumber append : appends) read.events.push_back({Version(read.events.size() + 1), append});
  return read;
}

// Stream 0: append 1 makes version 1, append 2 versions 2 and 3, append 5 version 4. Stream 1: append 2 makes version 1.
// Append 3 conflicts, append 4 is unknown and never was, append 5 is unknown and was.
class PlantedViolations : public ::testing::Test {
 protected:
  PlantedViolations() {
    history_.appends = {Append(1, {10, 20}, {Part(0, 0, 1, 1)}, 1),
                        Append(2, {30, 40}, {Part(0, 1, 2, 3), Part(1, 0, 1, 1)}, 2),
                        Conflict(3, {35, 45}, {Part(0, 1, 1)}, 3),
                        Unknown(4, {50, 90}, {Part(0, 3, 1)}),
                        Unknown(5, {50, 90}, {Part(0, 3, 1)})};
    history_.reads = {ReadOfHead({1, 9}, 0, 0), ReadOfHead({15, 18}, 0, 1), ReadOfHead({41, 49}, 0, 3),
                      ReadOfAll({100, 110}, 0, {1, 2, 2, 5}), ReadOfAll({100, 110}, 1, {2})};
    for (std::uint32_t subscriber = 0; subscriber < 2; ++subscriber) {
      history_.pulls.push_back({.time = {21, 29}, .subscriber = subscriber, .caught_up = true, .events = {events_[0]}});
      history_.pulls.push_back({.time = {100, 110},
                                .subscriber = subscriber,
                                .caught_up = true,
                                .events = {events_.begin() + 1, events_.end()}});
    }
  }

  std::vector<std::string> Violations() const { return ViolationsOf(history_, 2); }
  std::vector<DeliveredEvent>& delivered() { return history_.pulls[1].events; }

  const std::vector<DeliveredEvent> events_ = {
      {Sequence(1), {PartitionId(0), Offset(1)}, 0, Version(1), 1},
      {Sequence(2), {PartitionId(0), Offset(2)}, 0, Version(2), 2},
      {Sequence(2), {PartitionId(0), Offset(3)}, 0, Version(3), 2},
      {Sequence(2), {PartitionId(1), Offset(1)}, 1, Version(1), 2},
      {Sequence(3), {PartitionId(0), Offset(4)}, 0, Version(4), 5},
  };
  History history_;
};

TEST_F(PlantedViolations, ThereAreNoneWithoutOne) { EXPECT_THAT(Violations(), IsEmpty()); }

TEST_F(PlantedViolations, FindsALostAppend) {
  history_.appends.push_back(Append(6, {60, 70}, {Part(1, 1, 1, 2)}, 3));
  EXPECT_THAT(Violations(), Contains(HasSubstr("no instant is left for  append 6 [60, 70]")));
}

TEST_F(PlantedViolations, FindsALostAppendInTheMiddle) {
  history_.appends[0] = Append(1, {10, 20}, {Part(2, 0, 1, 1)}, 1);
  history_.reads[3] = {.time = {100, 110}, .stream = 0, .after = Version(1), .events = {{Version(2), 2}}};
  EXPECT_THAT(Violations(), Contains(HasSubstr("versions 1 to 1 of stream 0 are missing")));
}

TEST_F(PlantedViolations, FindsTwoSuccessesWithOneExpectedVersion) {
  history_.appends.push_back(Append(6, {30, 40}, {Part(0, 1, 1, 2)}, 4));
  EXPECT_THAT(Violations(), Contains(HasSubstr("version 2 of stream 0 was made twice:\n  append 2 ")));
}

TEST_F(PlantedViolations, FindsAStaleRead) {
  history_.reads.push_back(ReadOfHead({41, 48}, 0, 1));
  EXPECT_THAT(Violations(),
              ElementsAre(::testing::AllOf(HasSubstr("no instant is left for  append 2 [30, 40]"),
                                           HasSubstr("read [41, 48] of stream 0: version 1\n"))));
}

TEST_F(PlantedViolations, FindsAReadThatIsOlderThanTheOneBefore) {
  history_.reads.push_back(ReadOfHead({31, 32}, 0, 3));
  history_.reads.push_back(ReadOfHead({33, 34}, 0, 1));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("no instant is left for  append 2 [30, 40]")));
}

TEST_F(PlantedViolations, FindsAReadOfWhatIsYetToBeSent) {
  history_.reads.push_back(ReadOfHead({25, 29}, 0, 3));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("no instant is left for  append 2 [30, 40]")));
}

TEST_F(PlantedViolations, FindsAReadInTheMiddleOfACommit) {
  history_.reads.push_back(ReadOfHead({35, 45}, 0, 2));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("stream 0 never was at version 2: read [35, 45]")));
}

TEST_F(PlantedViolations, FindsAConflictWithAVersionThatWasNotTheHeadWithinTheCall) {
  history_.appends[2] = Conflict(3, {42, 45}, {Part(0, 0, 1)}, 1);
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("append 3 [42, 45] to stream 0 at 0 +1: conflict")));
}

TEST_F(PlantedViolations, FindsAConflictWithAVersionThatNeverWas) {
  history_.appends[2].actual = Version(7);
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("stream 0 never was at version 7: append 3")));
}

TEST_F(PlantedViolations, FindsAConflictWithoutOne) {
  history_.appends[2].actual = Version(1);
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("there is no conflict: append 3")));
}

TEST_F(PlantedViolations, FindsVersionsOutOfOrder) {
  history_.appends[1] = Append(2, {12, 40}, {Part(0, 1, 2, 3), Part(1, 0, 1, 1)}, 2);
  history_.appends[0] = Append(1, {50, 60}, {Part(0, 0, 1, 1)}, 1);
  history_.reads = {history_.reads[3], history_.reads[4]};
  history_.pulls.clear();
  EXPECT_THAT(ViolationsOf(history_, 0), Contains(HasSubstr("no instant is left for  append 2 [12, 40]")));
}

TEST_F(PlantedViolations, FindsAnAppendThatDidNotFollowOnWhatItExpected) {
  history_.appends[0].parts[0].expected = Version(5);
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("it made versions 1 to 1 of stream 0: append 1")));
}

TEST_F(PlantedViolations, FindsEventsOfARefusedAppend) {
  history_.appends[4].outcome = AppendOutcome::kRefused;
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("it should have changed nothing, and is there: append 5")));
}

TEST_F(PlantedViolations, FindsEventsThatNobodySent) {
  history_.reads[3].events[3].append = 17;
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("nobody sent append 17")));
}

TEST_F(PlantedViolations, FindsHalfOfAnAppend) {
  history_.appends[4].parts.push_back(Part(1, 1, 1));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("it is there in 1 streams: append 5")));
}

TEST_F(PlantedViolations, FindsAnUnknownAppendThatTookEffectAfterItsProcessHadDied) {
  history_.reads.push_back(ReadOfHead({95, 99}, 0, 3));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("no instant is left for  append 5 [50, 90]")));
}

TEST_F(PlantedViolations, FindsAnUnknownAppendThatWasThereAndIsGone) {
  history_.reads.push_back(ReadOfAll({91, 99}, 1, {2, 4}));
  history_.appends[3] = Unknown(4, {50, 90}, {Part(1, 1, 1)});
  EXPECT_THAT(Violations(), Contains(HasSubstr("no instant is left for  append 4 [50, 90]")));
}

TEST_F(PlantedViolations, FindsACommitThatIsSeenInOneStreamAndThenNotInTheOther) {
  history_.reads.push_back(ReadOfHead({31, 32}, 0, 3));
  history_.reads.push_back(ReadOfHead({33, 34}, 1, 0));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("no instant is left for  append 2 [30, 40]")));
}

TEST_F(PlantedViolations, FindsADoubledEvent) {
  delivered().push_back(delivered().back());
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("of append 5 is handed out again")));
}

TEST_F(PlantedViolations, FindsAMissedEvent) {
  delivered().erase(delivered().begin() + 1);
  EXPECT_THAT(Violations(), Contains(HasSubstr("of append 5 follows on offset 2 of its partition")));
}

TEST_F(PlantedViolations, FindsAMissedEventAtTheEnd) {
  delivered().pop_back();
  history_.pulls[1].caught_up = false;
  EXPECT_THAT(Violations(), ElementsAre("subscriber 0 was handed out 4 events of 5"));
}

TEST_F(PlantedViolations, FindsReorderedEvents) {
  std::swap(delivered()[2], delivered()[3]);
  EXPECT_THAT(Violations(), Contains(HasSubstr("comes too late")));
}

TEST_F(PlantedViolations, FindsAPullThatEndsBeforeWhatWasAcknowledged) {
  history_.pulls[0].events.clear();
  delivered().insert(delivered().begin(), events_[0]);
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("pull [21, 29] by subscriber 0: nothing, the end")));
}

TEST_F(PlantedViolations, FindsAnEventThatIsHandedOutBeforeItIsSent) {
  history_.pulls[0].time = {1, 5};
  EXPECT_THAT(Violations(), Contains(HasSubstr("no instant is left for  append 1 [10, 20]")));
}

TEST_F(PlantedViolations, FindsAnEventOfAnotherCommit) {
  delivered()[3].sequence = Sequence(4);
  history_.appends[4] = Append(5, {50, 90}, {Part(0, 3, 1, 4)}, 3);
  EXPECT_THAT(Violations(), Contains(HasSubstr("is of another commit, by append 5")));
}

TEST_F(PlantedViolations, FindsAnEventThatIsNotInItsStream) {
  delivered()[2].append = 1;
  EXPECT_THAT(Violations(), Contains(HasSubstr("is another one in its stream, of append 2")));
}

TEST_F(PlantedViolations, FindsAnotherOrderForAnotherSubscriber) {
  std::vector<DeliveredEvent>& others = history_.pulls[3].events;
  others[0].position.offset = Offset(1);
  others[0].position.partition = PartitionId(2);
  others[1].position.offset = Offset(2);
  std::swap(others[0], others[1]);
  EXPECT_THAT(Violations(), Contains(HasSubstr("to subscriber 1: ")));
}

}  // namespace
}  // namespace everfold
