// The n-th operation on the disk fails, for every n until a run has no failure. Whatever the disk refuses, callers are
// told clearly, and what they were told holds after the next opening.
//
// EVERFOLD_FAULT_STEP=1 tries every n, the default leaves some out; EVERFOLD_FAULT_FIRST=n begins with one that failed.
// EVERFOLD_SEED=n does other work than the default, 1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "everfold/base/error.h"
#include "everfold/testing/faulty_disk.h"
#include "tests/simulation/store_on_disk.h"

namespace everfold {
namespace {

struct Plan {
  const char* name;
  DiskFault fault;
  FaultTimes times;
  DiskOperation operations;
};

std::string NameOf(const testing::TestParamInfo<Plan>& info) { return info.param.name; }

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// One run of the same work, as far as it gets.
class FailingRun {
 public:
  FailingRun() : store_(FromEnvironment("EVERFOLD_SEED", 1), disk_) {
    store_.store_options().index.max_memory_bytes = 2 << 10;
  }

  FaultyDisk& disk() { return disk_; }
  const std::vector<std::string>& violations() { return store_.ledger().violations(); }

  void Work() {
    for (int opening = 0; opening < 2; ++opening) {
      if (!Open()) return;
      for (int round = 0; round < 4; ++round) AppendSome();
      NoteUnlessClear("sealing", store_.SealAll());
      AppendSome();
      NoteUnlessClear("reading", store_.Check());
      store_.Close();
    }
  }

  // The disk works again.
  void Recover(bool after_loss_of_power) {
    if (after_loss_of_power) disk_.LosePower(store_.random());
    store_.Die();
    if (after_loss_of_power) disk_.Restore();
    disk_.StopFailing();
    absl::Status status = store_.Open();
    if (status.ok()) status = store_.Check();
    if (!status.ok()) store_.ledger().Report("afterwards: " + status.ToString());
  }

  std::size_t acknowledged() { return store_.ledger().acknowledged(); }

 private:
  bool Open() {
    const absl::Status opened = store_.Open();
    if (!opened.ok()) store_.Die();
    NoteUnlessClear("opening", opened);
    return opened.ok();
  }

  void AppendSome() {
    for (int i = 0; i < 10; ++i) store_.Send(RandomAppend(store_.random(), store_.ledger().size()));
    store_.Settle();
    store_.executor().Advance(absl::Milliseconds(15));
    if (!store_.store().health().ok()) TryAppendToClosed();
  }

  void TryAppendToClosed() {
    const SentAppend& sent = store_.Send(RandomAppend(store_.random(), store_.ledger().size()));
    store_.Settle();
    if (sent.acknowledged.has_value()) store_.ledger().Report("a store that had failed acknowledged an append");
  }

  // What failed is the disk, and nothing else is said.
  void NoteUnlessClear(const char* what, const absl::Status& status) {
    const std::string why = ReasonOf(status);
    const bool clear =
        status.ok() || why == reason::kStorageFailed || why == reason::kDiskFull || why == reason::kOutcomeUnknown;
    if (!clear || (!status.ok() && disk_.failures() == 0)) {
      store_.ledger().Report(absl::StrCat(what, ": ", status.ToString()));
    }
  }

  FaultyDisk disk_;
  StoreOnDisk store_;
};

// Appends wait for an index that is full. One that will never be written again must not keep them waiting.
TEST(IndexErrors, AStoreWhoseIndexCannotBeWrittenCloses) {
  FaultyDisk disk, disk_of_index;
  StoreOnDisk store(1, disk);
  store.store_options().index.files = &disk_of_index;
  store.store_options().index.max_memory_bytes = 2 << 10;
  ASSERT_EQ(store.Open(), absl::OkStatus());
  disk_of_index.FailFrom(1, DiskFault::kIoError, FaultTimes::kForever);
  for (int i = 0; i < 500 && store.store().health().ok(); ++i) {
    store.Send(RandomAppend(store.random(), store.ledger().size()));
    ASSERT_TRUE(store.Settle());
  }
  EXPECT_EQ(ReasonOf(store.store().health()), reason::kStorageFailed) << store.store().health();
  EXPECT_THAT(std::string(store.store().health().message()), testing::HasSubstr("the index in /index cannot be"));
  EXPECT_EQ(ReasonOf(store.ledger().at(store.ledger().size() - 1).refused), reason::kStoreClosed);
  EXPECT_EQ(store.Check(), absl::OkStatus());
  store.Close();
  disk_of_index.StopFailing();
  ASSERT_EQ(store.Open(), absl::OkStatus());
  EXPECT_EQ(store.Check(), absl::OkStatus());
  EXPECT_THAT(store.ledger().violations(), testing::IsEmpty());
}

class IoErrorsTest : public testing::TestWithParam<Plan> {};

TEST_P(IoErrorsTest, WhatWasToldHoldsWhicheverOperationFails) {
  const Plan& plan = GetParam();
  const std::uint64_t step = FromEnvironment("EVERFOLD_FAULT_STEP", 25);
  std::uint64_t runs = 0, n = FromEnvironment("EVERFOLD_FAULT_FIRST", 1);
  for (bool failed = true; failed; n += step, ++runs) {
    for (const bool loses_power : {false, true}) {
      FailingRun run;
      run.disk().FailFrom(n, plan.fault, plan.times, plan.operations);
      run.Work();
      failed = run.disk().failures() > 0;
      run.Recover(loses_power);
      ASSERT_THAT(run.violations(), testing::IsEmpty()) << "operation " << n << ", power lost: " << loses_power;
      EXPECT_TRUE(failed || run.acknowledged() > 40u) << run.acknowledged();
    }
  }
  std::printf("%s: %d operations, every %d: %d stores\n", plan.name, static_cast<int>(n), static_cast<int>(step),
              static_cast<int>(2 * runs));
  EXPECT_GT(n, 50u);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, IoErrorsTest,
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

}  // namespace
}  // namespace everfold
