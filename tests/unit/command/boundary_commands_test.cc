// Commands to consistency boundaries: what they rely on, what they are told, and what the aggregates see of it.
#include "everfold/command/boundary_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/command/command_errors.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/tagged_events.h"
#include "sample-apps/courses/courses.h"
#include "tests/unit/command/held_log.h"

namespace everfold {
namespace {

using courses::v1::CourseDecider;
using courses::v1::CourseIsFull;
using courses::v1::CourseOffered;
using courses::v1::EmailIsTaken;
using courses::v1::Enrolment;
using courses::v1::EnrolmentDecider;
using courses::v1::EnrolStudent;
using courses::v1::MakeChangeSeats;
using courses::v1::MakeCourseOffered;
using courses::v1::MakeEnrolStudent;
using courses::v1::MakeOfferCourse;
using courses::v1::MakeRegisterStudent;
using courses::v1::MakeRenameStudent;
using courses::v1::MakeStudentRenamed;
using courses::v1::MakeSwapCourse;
using courses::v1::NoSuchCourse;
using courses::v1::RegistrationDecider;
using courses::v1::SeatsAreTaken;
using courses::v1::SeatsChanged;
using courses::v1::StudentDecider;
using courses::v1::StudentEnrolled;
using courses::v1::SwapCourse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Outcome = absl::StatusOr<CommandOutcome>;
using Pending = std::shared_ptr<std::optional<Outcome>>;

// Enrolment, with faults that user code can have.
struct FaultyEnrolment : EnrolmentDecider {
  using EnrolmentDecider::Decide;
  using EnrolmentDecider::Evolve;
  using EnrolmentDecider::Query;
  static BoundaryDecision<Enrolment> Decide(const State& s, const EnrolStudent& c, Context& context) {
    EXPECT_EQ(context.version(), Version());
    if (c.student_id() == "thirteen") throw std::runtime_error("thirteen");
    if (c.student_id() == "nobody") return Emit(To("x", MakeStudentRenamed({.name = "Nobody"})));
    return EnrolmentDecider::Decide(s, c, context);
  }
  // It relies on nothing where nobody is to leave.
  static BoundaryQuery<CourseOffered> Query(const SwapCourse& c) {
    if (c.from_course_id() == "13") throw std::runtime_error("no query");
    BoundaryQuery<CourseOffered> query;
    if (c.from_course_id() == "none") return query;
    return query.Add(EventsWith<CourseOffered>(Tag<"course_id">(c.to_course_id())));
  }
  static BoundaryDecision<Enrolment> Decide(const State& s, const SwapCourse& c, Context&) {
    EXPECT_TRUE(s.seats.empty());
    return Emit(To(c.to_course_id(), MakeCourseOffered({.course_id = c.to_course_id(), .seats = 1})));
  }
  static void Evolve(State& s, const StudentEnrolled& e) {
    if (e.student_id() == "unfoldable") throw std::runtime_error("no evolution");
    EnrolmentDecider::Evolve(s, e);
  }
};

struct Extra {
  std::string request_id = {};
  std::string tenant = {};
  std::optional<Version> expected_version = {};
  absl::Time deadline = absl::InfiniteFuture();
  const std::atomic<bool>* abandoned = nullptr;
};

class BoundaryCommandsTest : public ::testing::Test {
 protected:
  BoundaryCommandsTest() { Open(); }

  template <class D = EnrolmentDecider>
  std::unique_ptr<CommandHandler> MakeHandler() {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<CourseDecider>());
    if (with_students_) aggregates.push_back(MakeAggregateType<StudentDecider>());
    std::vector<BoundaryType> boundaries;
    boundaries.push_back(MakeBoundaryType<D>());
    boundaries.push_back(MakeBoundaryType<RegistrationDecider>());
    return CommandHandler::Create(options_, std::move(aggregates), std::move(boundaries), *store_, executor_,
                                  executor_.clock(), random_);
  }
  // As after a restart.
  template <class D = EnrolmentDecider>
  void Open() {
    handler_ = MakeHandler<D>();
  }

  Pending Start(const google::protobuf::Message& command, Extra extra = {}, CommandHandler* handler = nullptr) {
    auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
    kept->CopyFrom(command);
    CommandRequest request;
    request.command = kept.get();
    request.request_id = extra.request_id;
    request.tenant = extra.tenant;
    request.expected_version = extra.expected_version;
    request.deadline = extra.deadline;
    request.abandoned = extra.abandoned;
    auto outcome = std::make_shared<std::optional<Outcome>>();
    (handler != nullptr ? *handler : *handler_).Handle(std::move(request), [outcome, kept](Outcome result) {
      *outcome = std::move(result);
    });
    EXPECT_FALSE(outcome->has_value()) << "answered before Handle returned";
    return outcome;
  }
  Outcome Send(const google::protobuf::Message& command, Extra extra = {}) {
    const Pending outcome = Start(command, std::move(extra));
    executor_.RunUntilIdle();
    return std::move(*outcome).value();
  }
  void Offer(const std::string& course, int seats) {
    Receipt(Send(MakeOfferCourse({.course_id = course, .seats = seats})));
  }
  static EnrolStudent Enrol(const std::string& student, const std::string& course = "c1") {
    return MakeEnrolStudent({.student_id = student, .course_id = course});
  }

  static CommandReceipt Receipt(const Outcome& outcome) {
    if (outcome.ok() && std::holds_alternative<CommandReceipt>(*outcome)) return std::get<CommandReceipt>(*outcome);
    ADD_FAILURE() << "no receipt: " << outcome.status();
    return {};
  }
  template <class R>
  static const R* RejectionIn(const Outcome& outcome) {
    if (!outcome.ok() || !std::holds_alternative<Rejection>(*outcome)) return nullptr;
    return dynamic_cast<const R*>(std::get<Rejection>(*outcome).message.get());
  }
  static bool IsAccepted(const Outcome& outcome) {
    return outcome.ok() && std::holds_alternative<CommandReceipt>(*outcome);
  }
  static void ExpectError(const Outcome& outcome, absl::StatusCode code, const char* reason, const std::string& text) {
    EXPECT_EQ(outcome.status().code(), code) << outcome.status();
    EXPECT_EQ(ReasonOf(outcome.status()), reason);
    EXPECT_THAT(std::string(outcome.status().message()), HasSubstr(text));
  }
  Version VersionOf(const std::string& course) { return store_->VersionOf({"", "course", course}).value(); }
  void LetThrough() {
    log_.LetThrough();
    executor_.RunUntilIdle();
  }
  void AppendFromOutside(const google::protobuf::Message& event, std::vector<std::string> tags) {
    AppendRequest raw;
    StreamAppend& stream = raw.streams.emplace_back();
    stream.stream = {"", "course", "c1"};
    stream.events.push_back({.type = event.GetDescriptor()->full_name(),
                             .fingerprint = {},
                             .payload = event.SerializeAsString(),
                             .event_time = {},
                             .tags = std::move(tags)});
    store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
    executor_.RunUntilIdle();
  }

  // With so many commits of five events, each of which fills a part of a read.
  void FillCourse(const std::string& course, int commits) {
    const std::string offered = MakeCourseOffered({.course_id = course, .seats = 9}).SerializeAsString();
    // A field that the message does not have: 15, of bytes.
    const std::string payload = offered + "\x7a\xd0\xe8\x0c" + std::string(210'000, 'x');
    ASSERT_GE(5 * payload.size(), kPartBytes);
    for (int i = 0; i < commits; ++i) {
      AppendRequest raw;
      StreamAppend& stream = raw.streams.emplace_back();
      stream.stream = {"", "course", course};
      for (int event = 0; event < 5; ++event) {
        stream.events.push_back({.type = std::string(CourseOffered::descriptor()->full_name()),
                                 .fingerprint = {},
                                 .payload = payload,
                                 .event_time = {},
                                 .tags = {"course_id:" + course}});
      }
      store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
      executor_.RunUntilIdle();
    }
  }

  ManualExecutor executor_{11};
  SeededRandom random_{11};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 16, std::string(32, 'k')});
  MemoryLog memory_log_{storage_, executor_};
  HeldLog log_{memory_log_};
  std::unique_ptr<EventStore> store_ = EventStore::Open({}, log_, executor_, executor_.clock(), random_).value();
  CommandHandlerOptions options_;
  bool with_students_ = true;
  std::unique_ptr<CommandHandler> handler_;
};

TEST_F(BoundaryCommandsTest, AnswersWithEveryStreamAndATokenForAllOfThem) {
  Offer("c1", 2);
  const CommandReceipt enrolled = Receipt(Send(Enrol("anna")));
  EXPECT_EQ(enrolled.stream.ToString(), "course/c1");
  EXPECT_EQ(enrolled.version, Version(2));
  EXPECT_EQ(enrolled.sequence, Sequence(2));
  EXPECT_FALSE(enrolled.repeated);
  Offer("c2", 1);
  ASSERT_NE(PartitionOf({"", "course", "c1"}, 16), PartitionOf({"", "course", "c2"}, 16));
  const CommandReceipt swapped =
      Receipt(Send(MakeSwapCourse({.student_id = "anna", .from_course_id = "c1", .to_course_id = "c2"})));
  EXPECT_THAT(swapped.streams, ElementsAre(StreamVersion{{"", "course", "c1"}, Version(3)},
                                           StreamVersion{{"", "course", "c2"}, Version(2)}));
  EXPECT_EQ(swapped.stream, swapped.streams[0].stream);
  EXPECT_EQ(swapped.token.positions.size(), 2u);
}

TEST_F(BoundaryCommandsTest, EventsOfAggregatesAndBoundariesCarryTheirTags) {
  Offer("c1", 2);
  Receipt(Send(Enrol("anna")));
  std::vector<std::vector<std::string>> tags;
  const absl::Status read = store_->ReadStream({"", "course", "c1"}, {}, [&tags](const RecordedEvent& event) {
    tags.emplace_back(event.event.tags.begin(), event.event.tags.end());
    return absl::OkStatus();
  });
  EXPECT_EQ(read, absl::OkStatus());
  EXPECT_THAT(tags, ElementsAre(ElementsAre("course_id:c1"), ElementsAre("course_id:c1", "student_id:anna")));
}

TEST_F(BoundaryCommandsTest, RejectionsAreTypedAndNameTheBoundary) {
  const Outcome missing = Send(Enrol("anna"));
  ASSERT_NE(RejectionIn<NoSuchCourse>(missing), nullptr);
  EXPECT_EQ(std::get<Rejection>(*missing).code, absl::StatusCode::kNotFound);
  EXPECT_EQ(std::get<Rejection>(*missing).subject, "enrolment");
  EXPECT_EQ(store_->DurableSequence(), Sequence());
}

TEST_F(BoundaryCommandsTest, ThatNothingChangedHasATokenForWhatWasSeen) {
  Offer("c1", 2);
  const CommandReceipt enrolled = Receipt(Send(Enrol("anna")));
  const CommandReceipt again = Receipt(Send(Enrol("anna")));
  EXPECT_EQ(again.sequence, Sequence());
  EXPECT_EQ(again.version, Version());
  EXPECT_TRUE(again.streams.empty());
  EXPECT_EQ(again.token.positions, enrolled.token.positions);
  EXPECT_EQ(again.token.sequence, Sequence()) << "it is no write's";
}

TEST_F(BoundaryCommandsTest, OneOfManyGetsTheLastSeat) {
  Offer("c1", 1);
  std::vector<Pending> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(Start(Enrol("s" + std::to_string(i))));
  executor_.RunUntilIdle();
  int accepted = 0;
  for (const Pending& answer : answers) {
    accepted += IsAccepted(answer->value()) ? 1 : 0;
    if (!IsAccepted(answer->value())) {
      EXPECT_NE(RejectionIn<CourseIsFull>(answer->value()), nullptr);
    }
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(handler_->stats().decided_again, 0u) << "they wait for each other, and do not collide";
}

// Two handlers do not know of each other, as two processes would not: only the condition keeps the rule.
TEST_F(BoundaryCommandsTest, OneOfTwoGetsTheLastSeatWhateverProcessDecides) {
  const std::unique_ptr<CommandHandler> other = MakeHandler();
  for (int i = 0; i < 50; ++i) {
    const std::string course = "course" + std::to_string(i);
    Offer(course, 1);
    const Pending anna = Start(Enrol("anna" + course, course));
    const Pending ben = Start(Enrol("ben" + course, course), {}, other.get());
    executor_.RunUntilIdle();
    EXPECT_NE(IsAccepted(anna->value()), IsAccepted(ben->value())) << course;
    EXPECT_EQ(VersionOf(course), Version(2));
  }
  EXPECT_GT(handler_->stats().decided_again + other->stats().decided_again, 0u);
}

TEST_F(BoundaryCommandsTest, AnEmailIsGivenOnceAcrossStreamsAndPartitions) {
  const std::unique_ptr<CommandHandler> other = MakeHandler();
  ASSERT_NE(PartitionOf({"", "student", "anna"}, 16), PartitionOf({"", "student", "ben"}, 16));
  for (int i = 0; i < 30; ++i) {
    const std::string n = std::to_string(i);
    const auto registers = [&n](const std::string& student) {
      return MakeRegisterStudent({.student_id = student + n, .email = n + "@example.org", .name = "N"});
    };
    const Pending anna = Start(registers("anna"), {.request_id = "a" + n});
    const Pending ben = Start(registers("ben"), {.request_id = "b" + n}, other.get());
    executor_.RunUntilIdle();
    const bool anna_has_it = IsAccepted(anna->value());
    EXPECT_NE(anna_has_it, IsAccepted(ben->value()));
    EXPECT_NE(RejectionIn<EmailIsTaken>(anna_has_it ? ben->value() : anna->value()), nullptr);
  }
}

TEST_F(BoundaryCommandsTest, AConflictIsDecidedAgainOnWhatCameMeanwhile) {
  Offer("c1", 1);
  const std::unique_ptr<CommandHandler> other = MakeHandler();
  log_.Hold();
  const Pending first = Start(Enrol("anna"));
  executor_.RunUntilIdle();
  const Pending second = Start(Enrol("ben"), {}, other.get());
  executor_.RunUntilIdle();
  EXPECT_FALSE(first->has_value());
  EXPECT_FALSE(second->has_value()) << "nothing is told before what it stands on is durable";
  LetThrough();
  EXPECT_TRUE(IsAccepted(first->value()));
  ASSERT_NE(RejectionIn<CourseIsFull>(second->value()), nullptr);
  EXPECT_EQ(other->stats().decided_again, 1u);
}

TEST_F(BoundaryCommandsTest, TooManyConflictsAreAborted) {
  Offer("c1", 5);
  options_.max_conflict_retries = 0;
  const std::unique_ptr<CommandHandler> other = MakeHandler();
  log_.Hold();
  const Pending first = Start(Enrol("anna"));
  executor_.RunUntilIdle();
  const Pending second = Start(Enrol("ben"), {}, other.get());
  executor_.RunUntilIdle();
  LetThrough();
  EXPECT_TRUE(IsAccepted(first->value()));
  ExpectError(second->value(), absl::StatusCode::kAborted, reason::kConditionFailed,
              "courses.v1.EnrolStudent: others appended 1 time what it relies on");
  EXPECT_EQ(VersionOf("c1"), Version(2));
}

TEST_F(BoundaryCommandsTest, WhatAFailedAppendLeftOutIsNotSeen) {
  Offer("c1", 1);
  log_.Hold();
  const Pending failed = Start(Enrol("anna"));
  executor_.RunUntilIdle();
  log_.Fail();
  executor_.RunUntilIdle();
  EXPECT_EQ(failed->value().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(IsAccepted(Send(Enrol("ben"))));
}

// Repeats -----------------------------------------------------------------------------------------------------------

TEST_F(BoundaryCommandsTest, ARepeatGetsTheFirstReceipt) {
  Offer("c1", 2);
  Offer("c2", 2);
  Receipt(Send(Enrol("anna")));
  const auto swap = MakeSwapCourse({.student_id = "anna", .from_course_id = "c1", .to_course_id = "c2"});
  const CommandReceipt first = Receipt(Send(swap, {.request_id = "r1"}));
  Open();
  const CommandReceipt again = Receipt(Send(swap, {.request_id = "r1"}));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.streams, first.streams);
  EXPECT_EQ(again.stream, first.stream);
  EXPECT_EQ(again.version, first.version);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(again.token, first.token);
  EXPECT_EQ(VersionOf("c2"), Version(2));
}

TEST_F(BoundaryCommandsTest, ConcurrentRepeatsEnrolOnce) {
  Offer("c1", 9);
  std::vector<Pending> answers;
  const std::unique_ptr<CommandHandler> other = MakeHandler();
  for (int i = 0; i < 40; ++i) {
    answers.push_back(Start(Enrol("anna"), {.request_id = "r1"}, i % 2 == 0 ? handler_.get() : other.get()));
  }
  executor_.RunUntilIdle();
  for (const Pending& answer : answers) EXPECT_EQ(Receipt(answer->value()).version, Version(2));
  EXPECT_EQ(VersionOf("c1"), Version(2));
}

TEST_F(BoundaryCommandsTest, ARequestIdBelongsToOneRequest) {
  Offer("c1", 9);
  Receipt(Send(Enrol("anna"), {.request_id = "r1"}));
  ExpectError(Send(Enrol("ben"), {.request_id = "r1"}), absl::StatusCode::kInvalidArgument,
              reason::kIdempotencyKeyReused, "r1");
}

TEST_F(BoundaryCommandsTest, ARecordedOutcomeIsToldAgain) {
  const auto anna = MakeRegisterStudent({.student_id = "anna", .email = "a@b.c", .name = "Anna"});
  const auto ben = MakeRegisterStudent({.student_id = "ben", .email = "a@b.c", .name = "Ben"});
  ExpectError(Send(anna), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
              "courses.v1.RegisterStudent needs a request_id");
  Receipt(Send(anna, {.request_id = "r1"}));
  const Outcome rejected = Send(ben, {.request_id = "r2"});
  ASSERT_NE(RejectionIn<EmailIsTaken>(rejected), nullptr);
  EXPECT_EQ(store_->DurableSequence(), Sequence(2)) << "it is a commit without events";
  EXPECT_EQ(store_->VersionOf({"", "registration", "r2"}).value(), Version());
  Open();
  const Outcome again = Send(ben, {.request_id = "r2"});
  ASSERT_NE(RejectionIn<EmailIsTaken>(again), nullptr);
  EXPECT_EQ(RejectionIn<EmailIsTaken>(again)->email(), "a@b.c");
  EXPECT_EQ(std::get<Rejection>(*again).subject, "registration");
  EXPECT_EQ(store_->DurableSequence(), Sequence(2));
}

// The outcome is one of a state, too: it is recorded only if that is still the state.
TEST_F(BoundaryCommandsTest, ThatNothingChangedIsRecordedOnRequest) {
  Offer("c1", 2);
  Receipt(Send(Enrol("anna")));
  std::vector<BoundaryType> boundaries;
  boundaries.push_back(MakeBoundaryType<EnrolmentDecider>());
  boundaries[0].commands.at("courses.v1.EnrolStudent").type.records_outcomes = true;
  std::vector<AggregateType> aggregates;
  aggregates.push_back(MakeAggregateType<CourseDecider>());
  handler_ = CommandHandler::Create({}, std::move(aggregates), std::move(boundaries), *store_, executor_,
                                    executor_.clock(), random_);
  const CommandReceipt first = Receipt(Send(Enrol("anna"), {.request_id = "r1"}));
  EXPECT_EQ(first.sequence, Sequence(3));
  const CommandReceipt again = Receipt(Send(Enrol("anna"), {.request_id = "r1"}));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(again.recorded_at, first.recorded_at);
  EXPECT_TRUE(again.streams.empty());
  EXPECT_EQ(again.token.positions.size(), 1u) << "for all partitions that have something";
}

TEST_F(BoundaryCommandsTest, ARepeatIsToldTheFirstThoughItBreaksARuleNow) {
  Offer("c1", 2);
  Receipt(Send(Enrol("anna"), {.request_id = "r1"}));
  std::vector<BoundaryType> boundaries;
  boundaries.push_back(MakeBoundaryType<EnrolmentDecider>());
  boundaries[0].commands.at("courses.v1.EnrolStudent").type.validate = [](const google::protobuf::Message&, absl::Time,
                                                                          Violations& violations) {
    violations.Add("student_id", "string.min_len", "too late");
  };
  std::vector<AggregateType> aggregates;
  aggregates.push_back(MakeAggregateType<CourseDecider>());
  handler_ = CommandHandler::Create({}, std::move(aggregates), std::move(boundaries), *store_, executor_,
                                    executor_.clock(), random_);
  EXPECT_TRUE(Receipt(Send(Enrol("anna"), {.request_id = "r1"})).repeated);
  EXPECT_EQ(ReasonOf(Send(Enrol("anna"), {.request_id = "r2"}).status()), reason::kCommandInvalid);
}

// Aggregates and boundaries -----------------------------------------------------------------------------------------

TEST_F(BoundaryCommandsTest, TheCachedStateOfAnAggregateIsNotStale) {
  Offer("c1", 2);
  Receipt(Send(MakeChangeSeats({.course_id = "c1", .seats = 3})));  // now the course is in memory
  Receipt(Send(Enrol("anna")));
  Receipt(Send(Enrol("ben")));
  const Outcome rejected = Send(MakeChangeSeats({.course_id = "c1", .seats = 1}));
  ASSERT_NE(RejectionIn<SeatsAreTaken>(rejected), nullptr);
  EXPECT_EQ(RejectionIn<SeatsAreTaken>(rejected)->taken(), 2);
  EXPECT_EQ(Receipt(Send(MakeChangeSeats({.course_id = "c1", .seats = 2}))).version, Version(5));
  std::optional<std::int64_t> taken;
  handler_->GetState({.stream = {"", "course", "c1"}}, [&taken](absl::StatusOr<StateAnswer> answer) {
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->version, Version(5));
    taken = dynamic_cast<const courses::v1::Course&>(*answer->state).taken();
  });
  executor_.RunUntilIdle();
  EXPECT_EQ(taken, 2);
}

TEST_F(BoundaryCommandsTest, AnAggregateMeetsABoundarysAppendThatIsOnItsWay) {
  Offer("c1", 2);
  Receipt(Send(MakeChangeSeats({.course_id = "c1", .seats = 3})));
  log_.Hold();
  const Pending anna = Start(Enrol("anna"));
  const Pending ben = Start(Enrol("ben"));
  executor_.RunUntilIdle();
  const Pending fewer = Start(MakeChangeSeats({.course_id = "c1", .seats = 1}));
  executor_.RunUntilIdle();
  LetThrough();
  EXPECT_TRUE(IsAccepted(anna->value()));
  // Two are enrolled, or one: the seats were changed in between, and then the course was full.
  if (IsAccepted(ben->value())) {
    EXPECT_NE(RejectionIn<SeatsAreTaken>(fewer->value()), nullptr);
  } else {
    EXPECT_TRUE(IsAccepted(fewer->value()));
    EXPECT_NE(RejectionIn<CourseIsFull>(ben->value()), nullptr);
  }
  EXPECT_GE(handler_->stats().decided_again, 1u);
}

TEST_F(BoundaryCommandsTest, ABoundaryMeetsAnAggregatesAppendThatIsOnItsWay) {
  Offer("c1", 2);
  Receipt(Send(Enrol("anna")));
  log_.Hold();
  const Pending fewer = Start(MakeChangeSeats({.course_id = "c1", .seats = 1}));
  executor_.RunUntilIdle();
  const Pending ben = Start(Enrol("ben"));
  executor_.RunUntilIdle();
  LetThrough();
  EXPECT_TRUE(IsAccepted(fewer->value()));
  EXPECT_NE(RejectionIn<CourseIsFull>(ben->value()), nullptr);
}

TEST_F(BoundaryCommandsTest, CommandsThatShareNoTagPassEachOther) {
  Offer("c1", 2);
  Offer("c2", 2);
  log_.Hold();
  const Pending held = Start(Enrol("anna", "c1"));
  executor_.RunUntilIdle();
  const Pending other = Start(Enrol("ben", "nowhere"));
  executor_.RunUntilIdle();
  EXPECT_FALSE(held->has_value());
  EXPECT_TRUE(other->has_value());
  LetThrough();
  EXPECT_TRUE(IsAccepted(held->value()));
}

// What is refused ---------------------------------------------------------------------------------------------------

TEST_F(BoundaryCommandsTest, RefusesWhatIsMalformed) {
  ExpectError(Send(Enrol("")), absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, "student_id");
  ExpectError(Send(Enrol("anna"), {.expected_version = Version(3)}), absl::StatusCode::kInvalidArgument,
              reason::kRequestInvalid, "which has no version: expected_version is 3");
  ExpectError(Send(Enrol("anna", std::string(200, 'x'))), absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
              "xxxx...\" of a query must have 1 to 200 bytes, it has 210");
  ExpectError(Send(Enrol("an\nna")), absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, "printable UTF-8");
  ExpectError(Send(Enrol("anna"), {.request_id = std::string(201, 'x')}), absl::StatusCode::kInvalidArgument,
              reason::kLimitExceeded, "request_id must have 1 to 200 bytes");
  ExpectError(Send(Enrol("anna"), {.tenant = std::string(65, 'x')}), absl::StatusCode::kInvalidArgument,
              reason::kLimitExceeded, "tenant");
}

TEST_F(BoundaryCommandsTest, TenantsDoNotSeeEachOther) {
  Offer("c1", 1);
  EXPECT_NE(RejectionIn<NoSuchCourse>(Send(Enrol("anna"), {.tenant = "acme"})), nullptr);
  Receipt(Send(MakeOfferCourse({.course_id = "c1", .seats = 1}), {.tenant = "acme"}));
  Receipt(Send(Enrol("anna"), {.tenant = "acme"}));
  EXPECT_TRUE(IsAccepted(Send(Enrol("anna"))));
}

TEST_F(BoundaryCommandsTest, UserCodeThatThrowsHarmsOnlyItsCommand) {
  Offer("c1", 9);
  Open<FaultyEnrolment>();
  ExpectError(Send(Enrol("thirteen")), absl::StatusCode::kInternal, reason::kDeciderFailed,
              "Decide(enrolment, courses.v1.EnrolStudent) threw: thirteen");
  ExpectError(Send(Enrol("unfoldable")), absl::StatusCode::kInternal, reason::kDeciderFailed, "no evolution");
  ExpectError(Send(MakeSwapCourse({.student_id = "anna", .from_course_id = "13", .to_course_id = "c1"})),
              absl::StatusCode::kInternal, reason::kDeciderFailed,
              "Query(enrolment, courses.v1.SwapCourse) threw: no query");
  EXPECT_EQ(VersionOf("c1"), Version(1)) << "what cannot be folded stays out of the store";
  EXPECT_TRUE(IsAccepted(Send(Enrol("anna"))));
}

TEST_F(BoundaryCommandsTest, WhatCannotBeReadAgainStaysOutOfTheStore) {
  ExpectError(Send(MakeRegisterStudent({.student_id = "anna", .email = "a@b.c", .name = "\xff"}), {.request_id = "r"}),
              absl::StatusCode::kInternal, reason::kDeciderFailed, "cannot be read again");
  EXPECT_EQ(store_->DurableSequence(), Sequence());
}

TEST_F(BoundaryCommandsTest, EmitsOnlyEventsOfAggregatesThatAreParts) {
  Offer("c1", 9);
  with_students_ = false;
  Open<FaultyEnrolment>();
  ExpectError(Send(Enrol("nobody")), absl::StatusCode::kInternal, reason::kDeciderFailed,
              "the aggregate student, which is no part of this application");
}

TEST_F(BoundaryCommandsTest, AQueryWithoutPartsReliesOnNothing) {
  Open<FaultyEnrolment>();
  const auto offer = MakeSwapCourse({.student_id = "anna", .from_course_id = "none", .to_course_id = "c9"});
  EXPECT_EQ(Receipt(Send(offer)).version, Version(1));
  EXPECT_EQ(Receipt(Send(offer)).version, Version(2));
}

TEST_F(BoundaryCommandsTest, AStoredEventThatDoesNotParseIsDataLoss) {
  Offer("c1", 9);
  AppendFromOutside(SeatsChanged(), {"course_id:c1"});
  ASSERT_TRUE(IsAccepted(Send(MakeChangeSeats({.course_id = "c1", .seats = 9}))));
  AppendRequest raw;
  StreamAppend& stream = raw.streams.emplace_back();
  stream.stream = {"", "course", "c1"};
  stream.events.push_back({.type = "courses.v1.SeatsChanged",
                           .fingerprint = {},
                           .payload = "\xff\xff",
                           .event_time = {},
                           .tags = {"course_id:c1"}});
  store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  executor_.RunUntilIdle();
  ExpectError(Send(Enrol("anna")), absl::StatusCode::kDataLoss, reason::kDataLoss,
              "course/c1 version 4: the stored bytes of an event courses.v1.SeatsChanged do not parse");
}

TEST_F(BoundaryCommandsTest, DoesNotDecideTooLateOrForWhoHasGone) {
  Offer("c1", 9);
  ExpectError(Send(Enrol("anna"), {.deadline = executor_.clock().Now()}), absl::StatusCode::kDeadlineExceeded,
              reason::kDeadlineExceeded, "before the command was decided");
  const std::atomic<bool> gone = true;
  ExpectError(Send(Enrol("anna"), {.abandoned = &gone}), absl::StatusCode::kCancelled, reason::kCallerGone,
              "before the command was decided");
  EXPECT_EQ(VersionOf("c1"), Version(1));
}

TEST_F(BoundaryCommandsTest, ALongReadLeavesOthersTheirTurn) {
  Offer("c2", 9);
  FillCourse("c1", 40);
  const Pending anna = Start(Enrol("anna", "c1"));
  const Pending ben = Start(Enrol("ben", "c2"));
  executor_.RunUntilIdle();
  EXPECT_LT(Receipt(ben->value()).sequence, Receipt(anna->value()).sequence);
}

TEST_F(BoundaryCommandsTest, ALongReadEndsWhenNobodyWaitsForItAnyMore) {
  FillCourse("c1", 40);
  std::atomic<bool> gone = false;
  const Pending anna = Start(Enrol("anna", "c1"), {.abandoned = &gone});
  const std::uint64_t before = handler_->stats().events_folded;
  while (handler_->stats().events_folded == before) ASSERT_TRUE(executor_.RunOne());
  gone = true;
  executor_.RunUntilIdle();
  ExpectError(anna->value(), absl::StatusCode::kCancelled, reason::kCallerGone, "");
  EXPECT_LT(handler_->stats().events_folded - before, 40u * 5);

  const Pending ben = Start(Enrol("ben", "c1"), {.deadline = executor_.clock().Now() + absl::Seconds(1)});
  const std::uint64_t first = handler_->stats().events_folded;
  while (handler_->stats().events_folded == first) ASSERT_TRUE(executor_.RunOne());
  executor_.clock().Advance(absl::Seconds(1));
  executor_.RunUntilIdle();
  ExpectError(ben->value(), absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded, "");
  EXPECT_LT(handler_->stats().events_folded - first, 40u * 5);
}

TEST_F(BoundaryCommandsTest, WhoWaitsIsBounded) {
  options_.max_waiting_per_stream = 3;
  Open();
  Offer("c1", 9);
  log_.Hold();
  std::vector<Pending> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(Start(Enrol("s" + std::to_string(i))));
  executor_.RunUntilIdle();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(answers[i]->has_value());
  for (int i = 3; i < 5; ++i) {
    ExpectError(answers[i]->value(), absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                "commands that wait for a tag of enrolment: 3, the limit");
  }
  EXPECT_EQ(handler_->stats().overloaded, 2u);
  LetThrough();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsAccepted(answers[i]->value()));
}

TEST_F(BoundaryCommandsTest, IsAdmittedWithAllOtherCommands) {
  options_.max_commands = 2;
  Open();
  Offer("c1", 9);
  log_.Hold();
  const Pending anna = Start(Enrol("anna"));
  const Pending course = Start(MakeChangeSeats({.course_id = "c2", .seats = 1}));
  ExpectError(Send(Enrol("ben")), absl::StatusCode::kResourceExhausted, reason::kOverloaded, "commands under way");
  LetThrough();
  EXPECT_TRUE(IsAccepted(anna->value()));
}

TEST_F(BoundaryCommandsTest, CloseLetsWhatIsUnderWayEnd) {
  Offer("c1", 9);
  log_.Hold();
  const Pending anna = Start(Enrol("anna"));
  const Pending ben = Start(Enrol("ben"));
  executor_.RunUntilIdle();
  bool closed = false;
  handler_->Close([&closed] { closed = true; });
  ExpectError(Send(Enrol("cleo")), absl::StatusCode::kUnavailable, reason::kShuttingDown, "shutting down");
  EXPECT_FALSE(closed);
  LetThrough();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(IsAccepted(anna->value()));
  EXPECT_TRUE(IsAccepted(ben->value()));
}

TEST_F(BoundaryCommandsTest, ALongDecisionIsCountedAndTold) {
  std::vector<std::string> told;
  options_.slow_decision = -absl::Nanoseconds(1);
  options_.on_slow_decision = [&told](const std::string& command, const StreamId& stream, absl::Duration) {
    told.push_back(command + " " + stream.aggregate);
  };
  Open();
  EXPECT_TRUE(Send(Enrol("anna")).ok());
  EXPECT_THAT(told, ElementsAre("courses.v1.EnrolStudent enrolment"));
  EXPECT_EQ(handler_->stats().slow_decisions, 1u);
}

TEST_F(BoundaryCommandsTest, TellsWhoTakesACommand) {
  const std::optional<CommandTarget> target = handler_->FindTarget("courses.v1.EnrolStudent");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->aggregate, nullptr);
  EXPECT_EQ(target->boundary->name, "enrolment");
  EXPECT_EQ(target->type->prototype->GetDescriptor()->name(), "EnrolStudent");
}

}  // namespace
}  // namespace everfold
