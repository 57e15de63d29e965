#include "everfold/app/engine.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/telemetry/recording_logger.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/app/tally.h"

namespace everfold {
namespace {

using testing::ScratchDirectory;

class EngineTest : public ::testing::Test {
 protected:
  ~EngineTest() override { Crash(); }

  absl::Status Start(const Parts& parts = TallyParts()) {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    EngineOptions options;
    options.data_directory = directory_.path();
    options.logger = &logger_;
    options.reactors.make_thread = [this](const std::string&) { return executor_.MakeStrand(); };
    auto engine = Engine::Start(options, parts, *log_, executor_, executor_.clock(), random_);
    if (engine.ok()) engine_ = *std::move(engine);
    return engine.status();
  }

  void Crash() {
    executor_.DropAll();
    engine_.reset();
    log_.reset();
    executor_.DropAll();
  }

  absl::StatusOr<CommandOutcome> Send(const Count& command) {
    std::optional<absl::StatusOr<CommandOutcome>> outcome;
    CommandRequest request;
    request.command = &command;
    engine_->commands().Handle(std::move(request), [&outcome](auto answer) { outcome = std::move(answer); });
    executor_.RunUntil([&outcome] { return outcome.has_value(); });
    return *std::move(outcome);
  }

  // -1 if there is no row.
  std::int64_t CountOfRow(const std::string& id, const std::string& token) {
    std::optional<absl::Status> status;
    std::int64_t count = -1;
    engine_->queries().Get(
        TallySchema(), {.consistency_token = token}, [id](ColumnWriter& key) { key.Text(0, id); },
        [&count](const ColumnReader& row) { count = row.Integer(1); },
        [&status](absl::Status result) { status = std::move(result); });
    executor_.RunUntil([&status] { return status.has_value(); });
    return count;
  }

  bool Close() {
    bool closed = false;
    engine_->Close([&closed] { closed = true; });
    return executor_.RunUntil([&closed] { return closed; });
  }

  ScratchDirectory directory_;
  RecordingLogger logger_;
  ManualExecutor executor_;
  SeededRandom random_{1};
  std::shared_ptr<MemoryLogStorage> storage_ = std::make_shared<MemoryLogStorage>(
      LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = 4, .key = std::string(32, 'k')});
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<Engine> engine_;
};

std::string TokenOf(const absl::StatusOr<CommandOutcome>& outcome) {
  return EncodeToken(std::get<CommandReceipt>(*outcome).token);
}

TEST_F(EngineTest, ACommandReachesTheReadModel) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send(CountOf("t1")).ok());
  const auto outcome = Send(CountOf("t1"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(std::get<CommandReceipt>(*outcome).version, Version(2));
  EXPECT_EQ(CountOfRow("t1", TokenOf(outcome)), 2);
  EXPECT_EQ(CountEvents(engine_->store()), 2u);
}

TEST_F(EngineTest, GoesOnWhereItWasClosed) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send(CountOf("t1")).ok());
  ASSERT_TRUE(Close());
  Crash();
  ASSERT_EQ(Start(), absl::OkStatus());
  const auto outcome = Send(CountOf("t1"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(CountOfRow("t1", TokenOf(outcome)), 2);
}

TEST_F(EngineTest, KeepsReadModelsInTheDataDirectory) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(engine_->projections().size(), 1u);
  EXPECT_EQ(engine_->projections()[0]->path().rfind(directory_.path() + "/read/tallies/", 0), 0u)
      << engine_->projections()[0]->path();
  EXPECT_TRUE(std::filesystem::exists(engine_->projections()[0]->path()));
}

TEST_F(EngineTest, LogsWhatItFound) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_GE(logger_.lines().size(), 2u);
  EXPECT_EQ(logger_.lines()[0], (RecordingLogger::Line{LogLevel::kInfo, "store opened", {{"events", "0"}}}));
  EXPECT_EQ(logger_.lines()[1].message, "projection opened");
  EXPECT_EQ(logger_.lines()[1].fields[0], (LogField{"projection", "tallies"}));
}

TEST_F(EngineTest, AnswersWhatIsUnderWayWhenItCloses) {
  ASSERT_EQ(Start(), absl::OkStatus());
  const Count command = CountOf("t1");
  std::optional<absl::StatusOr<CommandOutcome>> outcome;
  CommandRequest request;
  request.command = &command;
  engine_->commands().Handle(std::move(request), [&outcome](auto answer) { outcome = std::move(answer); });
  ASSERT_TRUE(Close());
  ASSERT_TRUE(outcome.has_value());
  ASSERT_TRUE(outcome->ok()) << outcome->status();
  EXPECT_EQ(storage_->Head(std::get<CommandReceipt>(**outcome).token.positions[0].partition).offset, Offset(1));
}

TEST_F(EngineTest, ReactsOnceWhateverBecomesOfReadModels) {
  std::vector<std::string> ids;
  Parts parts = TallyParts();
  parts.reactors.push_back(TallyReactor([&ids](const Reaction& reaction) {
    ids.push_back(reaction.id);
    return absl::OkStatus();
  }));
  ASSERT_EQ(Start(parts), absl::OkStatus());
  ASSERT_TRUE(Send(CountOf("t1")).ok());
  ASSERT_TRUE(Send(CountOf("t2")).ok());
  executor_.RunUntilIdle();
  EXPECT_EQ(ids.size(), 2u);
  std::optional<absl::Status> rebuilt;
  engine_->projections()[0]->Rebuild([&rebuilt](absl::Status status) { rebuilt = std::move(status); });
  executor_.RunUntilIdle();
  EXPECT_EQ(rebuilt, absl::OkStatus());
  ASSERT_TRUE(Close());
  Crash();
  std::filesystem::remove_all(directory_.path() + "/read");
  ASSERT_EQ(Start(parts), absl::OkStatus());
  executor_.RunUntilIdle();
  EXPECT_EQ(engine_->projections()[0]->lag_events(), 0u);  // it was built anew
  EXPECT_EQ(ids.size(), 2u);
}

TEST_F(EngineTest, SavesWhatItHasReactedToBeforeTheStoreCloses) {
  int reactions = 0;
  Parts parts = TallyParts();
  parts.reactors.push_back(TallyReactor([&reactions](const Reaction&) {
    ++reactions;
    return absl::OkStatus();
  }));
  ASSERT_EQ(Start(parts), absl::OkStatus());
  ASSERT_TRUE(Send(CountOf("t1")).ok());
  executor_.RunUntil([&reactions] { return reactions == 1; });
  ASSERT_TRUE(Close());
  Crash();
  ASSERT_EQ(Start(parts), absl::OkStatus());
  executor_.RunUntilIdle();
  EXPECT_EQ(reactions, 1);
}

TEST_F(EngineTest, RefusesCommandsOnceClosed) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Close());
  const auto outcome = Send(CountOf("t1"));
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(outcome.status()), reason::kShuttingDown);
}

TEST_F(EngineTest, RefusesPartsThatClaimOneName) {
  Parts parts = TallyParts();
  parts.aggregates.push_back(TallyAggregate());
  const absl::Status status = Start(parts);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the name tally is there twice: in Aggregate #1 and in Aggregate #2");
}

}  // namespace
}  // namespace everfold
