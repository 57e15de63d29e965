// A start that takes over what was built ahead of it, on a disk that fails, or loses power, at any of its operations.
// The next start has the rows of the log, whatever has become of the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "everfold/base/check.h"
#include "everfold/projection/ahead_build.h"
#include "everfold/projection/ahead_file.h"
#include "everfold/testing/faulty_disk.h"
#include "everfold/testing/faulty_sqlite.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

constexpr std::size_t kBatchEvents = 20;
constexpr int kEvents = 60;
constexpr int kEventsSince = 10;

ProjectionType WithRevision(int revision) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.revision = revision;
  return type;
}

// What the deploy of revision 2 finds: a version of revision 1, or none where the projection is new; one that was built
// ahead; and events that have come since.
class Deploy {
 public:
  Deploy(std::uint64_t seed, bool is_new) : random_(seed), ledger_(seed), sqlite_(disk_) {
    EVERFOLD_CHECK(disk_.MakeDirectory(folder()).ok());
    ledger_.Trade(kEvents);
    if (!is_new) {
      EVERFOLD_CHECK(Start(1).ok());
      ledger_.CloseProjection();
    }
    BuildAhead();
    ledger_.Trade(kEventsSince);
  }
  ~Deploy() { ledger_.Crash(); }

  FaultyDisk& disk() { return disk_; }
  Ledger& ledger() { return ledger_; }
  std::string folder() const { return ledger_.directory() + "/balances"; }

  // Opens, and does all there is to do.
  absl::Status Start(int revision) {
    const absl::Status opened = ledger_.OpenProjection(WithRevision(revision), kBatchEvents, &disk_);
    if (!opened.ok()) return opened;
    ledger_.projection().Start();
    ledger_.executor().RunUntilIdle();
    return ledger_.projection().status();
  }
  void End(bool loses_power) {
    if (loses_power) disk_.LosePower(random_);
    ledger_.Crash();
    if (loses_power) disk_.Restore();
    disk_.StopFailing();
    ledger_.OpenStore();
  }
  bool HasLogged(const std::string& message) const {
    for (const RecordingLogger::Line& line : ledger_.logger().lines()) {
      if (line.message == message) return true;
    }
    return false;
  }

 private:
  void BuildAhead() {
    const StoreFeed feed(ledger_.store());
    const ProjectionType type = WithRevision(2);
    const auto build = AheadBuild::Open(disk_, ledger_.directory(), type, feed, ledger_.store().DurableHead(),
                                        ledger_.executor().clock());
    EVERFOLD_CHECK(build.ok());
    for (bool caught_up = false; !caught_up;) {
      const absl::StatusOr<PullResult> folded = (*build)->Fold(kBatchEvents);
      EVERFOLD_CHECK(folded.ok());
      caught_up = folded->caught_up;
    }
    EVERFOLD_CHECK((*build)->Complete().ok());
  }

  SeededRandom random_;
  FaultyDisk disk_;
  Ledger ledger_;
  FaultySqlite sqlite_;
};

struct Plan {
  const char* name;
  DiskFault fault;
  FaultTimes times;
  DiskOperation operations;
  bool loses_power;
};

std::string NameOf(const testing::TestParamInfo<Plan>& info) { return info.param.name; }

class AheadFaultsTest : public testing::TestWithParam<Plan> {};

TEST_P(AheadFaultsTest, TheNextStartHasTheRowsOfTheLog) {
  const Plan& plan = GetParam();
  for (const bool is_new : {false, true}) {
    std::uint64_t n = 1;
    for (bool failed = true; failed; ++n) {
      Deploy deploy(n, is_new);
      deploy.disk().FailFrom(n, plan.fault, plan.times, plan.operations);
      deploy.Start(2).IgnoreError();
      failed = deploy.disk().failures() > 0;
      EXPECT_TRUE(failed || deploy.HasLogged("what was built ahead is taken over"));
      deploy.End(plan.loses_power);
      const absl::Status started = deploy.Start(2);
      ASSERT_TRUE(started.ok()) << started << ", operation " << n << ", new: " << is_new;
      Projection& projection = deploy.ledger().projection();
      EXPECT_EQ(projection.Describe().state, ProjectionState::kRunning) << "operation " << n << ", new: " << is_new;
      EXPECT_FALSE(projection.Describe().rebuild.has_value()) << "operation " << n << ", new: " << is_new;
      const std::string path = projection.path();
      deploy.ledger().CloseProjection();
      ASSERT_EQ(DumpTable(path, "balance"), deploy.ledger().Fold(deploy.ledger().store().DurableHead()))
          << "operation " << n << ", new: " << is_new;
      ASSERT_FALSE(AheadFile::IsThere(deploy.disk(), deploy.folder())) << "operation " << n << ", new: " << is_new;
    }
    std::printf("%s: %d operations\n", plan.name, static_cast<int>(n));
    EXPECT_GT(n, 2u) << "nothing failed";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, AheadFaultsTest,
    testing::Values(Plan{"IoErrorOnce", DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kChange, false},
                    Plan{"IoErrorForever", DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kChange, false},
                    Plan{"NoSpaceForever", DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kChange, false},
                    Plan{"RenameErrorOnce", DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRename, false},
                    Plan{"PowerLoss", DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kChange, true},
                    Plan{"PowerLossAfterSyncError", DiskFault::kSyncError, FaultTimes::kOnce, DiskOperation::kSync,
                         true}),
    NameOf);

}  // namespace
}  // namespace everfold
