// A projection whose SQLite file is on a disk that fails and loses power. Its rows are those of its checkpoint always:
// both are there, or neither; and whatever is missing comes back from the log.
//
// EVERFOLD_FAULT_STEP=1 lets every operation fail, the default leaves some out. EVERFOLD_POWER_CYCLES=n: so many losses
// of power.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/testing/faulty_disk.h"
#include "everfold/testing/faulty_sqlite.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

// Small, so that there are many transactions.
constexpr std::size_t kBatchEvents = 2;
constexpr int kEvents = 240;
constexpr int kCyclesOfAFile = 40;
// Of a cycle, and the operations in which it follows them. SQLite writes its WAL back to the file, and begins it anew,
// after a thousand pages and at the end: every tenth cycle is so long that both happen.
constexpr std::uint64_t kMaxEvents = 80, kMaxOperations = 400;
constexpr std::uint64_t kMaxEventsOfLong = 1600, kMaxOperationsOfLong = 6000;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// A log, the read model of its balances on a disk, and what was wrong with it.
class ReadModelOnDisk {
 public:
  // Every other seed builds a next version all the time.
  explicit ReadModelOnDisk(std::uint64_t seed, SqliteSyncs syncs = SqliteSyncs::kDone)
      : rebuilds_(seed % 2 == 0), random_(seed), ledger_(seed), sqlite_(disk_, syncs) {
    EVERFOLD_CHECK(disk_.MakeDirectory(ledger_.directory() + "/balances").ok());
  }
  ~ReadModelOnDisk() { ledger_.Crash(); }

  FaultyDisk& disk() { return disk_; }
  Ledger& ledger() { return ledger_; }
  RandomSource& random() { return random_; }
  const std::vector<std::string>& violations() const { return violations_; }

  // As far as it gets; false if it does not even open.
  bool Follow() {
    if (!Open()) return false;
    ledger_.projection().Start();
    if (rebuilds_) ledger_.projection().Rebuild([](const absl::Status&) {});
    ledger_.executor().RunUntilIdle();
    const absl::Status status = ledger_.projection().status();
    NoteUnlessClear("following", status, {reason::kReadModelStopped});
    if (status.ok() && ledger_.projection().lag_events() > 0) violations_.push_back("it does not follow, and is well");
    return true;
  }

  void LosePower() {
    disk_.LosePower(random_);
    ledger_.Crash();
    disk_.Restore();
    ledger_.OpenStore();
  }
  void Crash() {
    ledger_.Crash();
    ledger_.OpenStore();
  }

  // The disk works again. First with what is there, then with all that the log has.
  void Check() {
    disk_.StopFailing();
    failures_ = disk_.failures();
    if (Open()) CheckRows(ledger_.projection().checkpoint());
    Crash();
    if (Follow()) CheckRows(ledger_.store().DurableHead());
    Crash();
  }

 private:
  bool Open() {
    const absl::Status opened = ledger_.OpenProjection(MakeProjectionType<Balances>(), kBatchEvents, &disk_);
    NoteUnlessClear("opening", opened, {reason::kReadModelFailed, reason::kStorageFailed, reason::kDiskFull});
    if (!opened.ok()) return false;
    const ProjectionStatus status = ledger_.projection().Describe();
    if (status.state == ProjectionState::kDamaged) violations_.push_back("damaged: " + status.built_anew_because);
    return true;
  }

  // What failed is the disk, and nothing else is said: by SQLite, or of a file or folder that is named.
  void NoteUnlessClear(const char* what, const absl::Status& status, const std::vector<std::string>& reasons) {
    if (status.ok()) return;
    const std::string message(status.message());
    const bool names_it = absl::StrContains(message, "SQLite: ") || absl::StrContains(message, ledger_.directory());
    const bool has_reason = std::find(reasons.begin(), reasons.end(), ReasonOf(status)) != reasons.end();
    const bool clear = disk_.failures() > failures_ && has_reason && !absl::IsDataLoss(status) && names_it;
    if (!clear) violations_.push_back(absl::StrCat(what, ": ", status.ToString()));
  }

  void CheckRows(const Checkpoint& at) {
    const std::string path = ledger_.projection().path();
    ledger_.CloseProjection();
    const absl::StatusOr<std::vector<std::string>> rows = TryDumpTable(path, "balance");
    const std::vector<std::string> folded = ledger_.Fold(at);
    if (!rows.ok()) {
      violations_.push_back(absl::StrCat("rows: ", rows.status().ToString()));
    } else if (*rows != folded) {
      violations_.push_back(absl::StrCat("rows: ", absl::StrJoin(*rows, " "), "\nlog:  ", absl::StrJoin(folded, " ")));
    }
    if (IndexesOf(path, "balance").size() != 1) violations_.push_back("it is queried without its index");
  }

  const bool rebuilds_;
  SeededRandom random_;
  FaultyDisk disk_;
  Ledger ledger_;
  FaultySqlite sqlite_;
  std::uint64_t failures_ = 0;  // that the disk had when it began to work again
  std::vector<std::string> violations_;
};

struct Plan {
  const char* name;
  DiskFault fault;
  FaultTimes times;
  DiskOperation operations;
};

std::string NameOf(const testing::TestParamInfo<Plan>& info) { return info.param.name; }

class ReadModelErrorsTest : public testing::TestWithParam<Plan> {};

TEST_P(ReadModelErrorsTest, TheReadModelEqualsTheLogWhicheverOperationFails) {
  const Plan& plan = GetParam();
  const bool is_rare = plan.operations == DiskOperation::kSync || plan.operations == DiskOperation::kRead;
  const std::uint64_t step = is_rare ? 1 : FromEnvironment("EVERFOLD_FAULT_STEP", 7);
  std::uint64_t n = 1, stores = 0;
  for (bool failed = true; failed; n += step) {
    for (const bool loses_power : {false, true}) {
      ReadModelOnDisk read_model(n);
      read_model.ledger().Trade(kEvents);
      read_model.disk().FailFrom(n, plan.fault, plan.times, plan.operations);
      for (int opening = 0; opening < 2; ++opening) {
        read_model.Follow();
        read_model.Crash();
        read_model.ledger().Trade(10);
      }
      failed = read_model.disk().failures() > 0;
      if (loses_power) read_model.LosePower();
      read_model.Check();
      ASSERT_THAT(read_model.violations(), testing::IsEmpty()) << "operation " << n << ", power lost: " << loses_power;
      ++stores;
    }
  }
  std::printf("%s: %d operations, every %d: %d files\n", plan.name, static_cast<int>(n), static_cast<int>(step),
              static_cast<int>(stores));
  EXPECT_GT(stores, 2u);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, ReadModelErrorsTest,
    testing::Values(Plan{"IoErrorOnce", DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kChange},
                    Plan{"IoErrorForever", DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kChange},
                    Plan{"NoSpaceOnce", DiskFault::kNoSpace, FaultTimes::kOnce, DiskOperation::kChange},
                    Plan{"NoSpaceForever", DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kChange},
                    Plan{"ShortWriteOnce", DiskFault::kShortWrite, FaultTimes::kOnce, DiskOperation::kWrite},
                    Plan{"SyncErrorOnce", DiskFault::kSyncError, FaultTimes::kOnce, DiskOperation::kSync},
                    Plan{"SyncErrorForever", DiskFault::kSyncError, FaultTimes::kForever, DiskOperation::kSync},
                    Plan{"ReadErrorOnce", DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead},
                    Plan{"ReadErrorForever", DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kRead}),
    NameOf);

// The power goes at a random operation while the projection follows the log. Returns what was wrong, if anything.
std::vector<std::string> CycleOnce(ReadModelOnDisk& read_model) {
  RandomSource& random = read_model.random();
  const bool is_long = random.Below(10) == 0;
  read_model.ledger().Trade(static_cast<int>(random.Below(is_long ? kMaxEventsOfLong : kMaxEvents)));
  read_model.disk().FailFrom(1 + random.Below(is_long ? kMaxOperationsOfLong : kMaxOperations), DiskFault::kIoError,
                             FaultTimes::kForever);
  read_model.Follow();
  read_model.LosePower();
  read_model.Check();
  return read_model.violations();
}

TEST(ReadModelPowerLoss, TheReadModelEqualsTheLog) {
  const std::uint64_t cycles = FromEnvironment("EVERFOLD_POWER_CYCLES", 200);
  for (std::uint64_t cycle = 0, seed = 1; cycle < cycles; ++seed) {
    ReadModelOnDisk read_model(seed);
    for (int i = 0; i < kCyclesOfAFile && cycle < cycles; ++i, ++cycle) {
      ASSERT_THAT(CycleOnce(read_model), testing::IsEmpty()) << "seed " << seed << ", cycle " << i;
    }
  }
}

// The checks are not blind.
TEST(ReadModelPowerLoss, SyncsThatAreDroppedAreFound) {
  std::vector<std::string> violations;
  for (std::uint64_t seed = 1; seed <= 10 && violations.empty(); ++seed) {
    ReadModelOnDisk read_model(seed, SqliteSyncs::kDropped);
    for (int i = 0; i < kCyclesOfAFile && violations.empty(); ++i) violations = CycleOnce(read_model);
  }
  EXPECT_THAT(violations,
              testing::Contains(testing::AnyOf(testing::HasSubstr("DATA_LOSS"), testing::HasSubstr("damaged: "))));
}

}  // namespace
}  // namespace everfold
