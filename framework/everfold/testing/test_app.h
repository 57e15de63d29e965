// A whole application in one thread of a test: real store, real projections in real SQLite files, a log in memory or
// the one on disk, time that stands still, and an order of steps that a seed decides.
//
//   TestApp app(Parts().Aggregate<WalletDecider>().Projection<Balances>());
//   const CommandReceipt receipt = app.Accepted(MakeDeposit({.wallet_id = "w1", .amount_minor = 100}));
//   EXPECT_EQ(app.Get<WalletBalance>({"w1"}, receipt.token)->balance_minor(), 100);
//
// Crash drops everything that is not durable, and Open opens again on what is.
//
//   TestApp app(parts, {.log = TestLog::kEmbedded});
//
// has log and index in files, as an application has them, in a directory of its own. What blocks on them is a step like
// any other, so that here, too, one thread does all, and waiting for an answer is running steps until it is there. It
// takes some tenths of a second to open, for the journal's files, and a sync of the disk for what is appended.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/app/engine.h"
#include "everfold/app/parts.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/testing/scratch_directory.h"

namespace everfold::testing {

enum class TestLog {
  kMemory,    // thousands of tests a minute
  kEmbedded,  // the log of production, on disk
};

struct TestAppOptions {
  std::uint64_t seed = 1;
  std::uint32_t partitions = kDefaultPartitions;
  TestLog log = TestLog::kMemory;
  // Of the embedded log, for example `free_bytes` for a disk that fills up, or a FaultyDisk as `files`; the index is on
  // the same files. Its directory, partitions and strands are the test's own.
  EmbeddedLogOptions embedded = {};
  // Puts something between the engine and its log, for example a FaultyLog; called at every opening.
  std::function<std::unique_ptr<PartitionLog>(PartitionLog&, Executor&)> wrap_log = nullptr;
  EngineOptions engine = {};  // data_directory is the test's own
};

// What a command may carry beside itself.
struct SendOptions {
  std::string request_id = {};
  std::optional<Version> expected_version = std::nullopt;
  Metadata metadata = {};
};

// Threading: one thread.
class TestApp {
 public:
  using Answer = absl::StatusOr<CommandOutcome>;
  // Empty until the answer is there.
  using Pending = std::shared_ptr<std::optional<Answer>>;

  // An engine that does not start is a failed check; Open tells why where a test expects it.
  explicit TestApp(Parts parts, TestAppOptions options = {});
  ~TestApp();

  // Sends, and runs steps until the answer is there.
  Answer Send(const google::protobuf::Message& command, SendOptions options = {});
  // Sends, and expects a receipt; reports a failure to GoogleTest otherwise.
  CommandReceipt Accepted(const google::protobuf::Message& command, SendOptions options = {});
  // Sends, and runs nothing.
  Pending Start(const google::protobuf::Message& command, SendOptions options = {});

  // The row of this key, from a state that includes the token's write.
  template <class Row>
  absl::StatusOr<Row> Get(const typename ReadModelTraits<Row>::Key& key, const ConsistencyToken& token = {}) {
    Row row;
    const absl::Status status = GetRow(
        ReadModelTraits<Row>::Schema(), [key](ColumnWriter& out) { ReadModelTraits<Row>::BindKey(key, out); },
        [&row](const ColumnReader& in) { ReadModelTraits<Row>::Read(in, row); }, token);
    if (!status.ok()) return status;
    return row;
  }
  // All rows, in the order of the key; or those that `list` asks for, in its order, of all pages.
  template <class Row>
  absl::StatusOr<std::vector<Row>> List(const ConsistencyToken& token = {}, const ListOptions& list = {}) {
    std::vector<Row> rows;
    const absl::Status status = ListRows(
        ReadModelTraits<Row>::Schema(),
        [&rows](const ColumnReader& in) { ReadModelTraits<Row>::Read(in, rows.emplace_back()); }, token, list);
    if (!status.ok()) return status;
    return rows;
  }

  // Runs steps until nothing is left to do at this time.
  void Settle() { executor_.RunUntilIdle(); }
  // Lets time pass, and what is due happen.
  void Advance(absl::Duration by) { executor_.Advance(by); }

  // Loses everything that is not durable, as a process that is killed: of files what was written is there, and to lose
  // what was not synced takes a FaultyDisk. Pending answers are never given.
  void Crash();
  // Closes in order. Reports a log that does not close to GoogleTest.
  void Stop();
  // After Crash or Stop.
  absl::Status Open();

  Engine& engine() { return *engine_; }
  // To seal it, to back it up, to verify it. REQUIRES: TestLog::kEmbedded, and the application is open.
  EmbeddedLog& embedded_log();
  ManualExecutor& executor() { return executor_; }
  const std::string& directory() const { return directory_.path(); }

 private:
  absl::StatusOr<PartitionLog*> OpenLog();
  EngineOptions OptionsOfEngine();
  absl::Status StartEngine();
  void CloseLog();
  absl::Status GetRow(const ReadModelSchema& schema, QueryEngine::BindKey key, QueryEngine::VisitRow row,
                      const ConsistencyToken& token);
  absl::Status ListRows(const ReadModelSchema& schema, QueryEngine::VisitRow row, const ConsistencyToken& token,
                        ListOptions list);

  ScratchDirectory directory_;
  const Parts parts_;
  const TestAppOptions options_;
  ManualExecutor executor_;
  SeededRandom random_;
  SeededRandom ways_;  // in which commands come
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<SnapshotStore> snapshots_ = MakeMemorySnapshots();  // outlive a crash, as files do
  bool opening_ = false;
  std::unique_ptr<PartitionLog> memory_log_;
  std::unique_ptr<EmbeddedLog> embedded_log_;
  std::unique_ptr<PartitionLog> wrapped_log_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace everfold::testing
