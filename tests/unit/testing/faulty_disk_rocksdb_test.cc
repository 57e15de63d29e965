#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/sst_file_writer.h>

#include <set>

#include "everfold/log/files/fail_stop.h"
#include "everfold/log/files/rocks_final_errors.h"
#include "everfold/testing/faulty_disk.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::HasSubstr;

constexpr char kStore[] = "/store";
const std::vector<std::string> kFamilies = {"default", "even", "odd"};

// A store on the disk, open from one start of the machine to the next loss of power.
class Store {
 public:
  static rocksdb::Options OptionsOn(rocksdb::Env* env) {
    rocksdb::Options options;
    options.env = env;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    StopAtFirstError(options);
    options.level0_file_num_compaction_trigger = 1'000'000;  // no work behind the test's back
    return options;
  }

  explicit Store(FaultyDisk& disk) : env_(rocksdb::NewCompositeEnv(FailStop(disk.ForRocksDb(), "/incoming"))) {}
  ~Store() { Close(); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  rocksdb::Status Open() {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : kFamilies) families.emplace_back(name, OptionsOn(env_.get()));
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(OptionsOn(env_.get()), kStore, families, &families_, &opened);
    db_.reset(opened);
    return status;
  }

  void Close() {
    if (db_ == nullptr) return;
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    families_.clear();
    db_ = nullptr;
  }

  // The batch has the same key in all families. OK says that it is durable.
  rocksdb::Status Ingest(int batch) {
    std::vector<rocksdb::IngestExternalFileArg> files(families_.size());
    for (std::size_t i = 0; i < families_.size(); ++i) {
      const std::string path = "/store/" + std::to_string(batch) + "." + families_[i]->GetName() + ".new";
      const rocksdb::Status written = WriteTable(path, batch);
      if (!written.ok()) return written;
      files[i].column_family = families_[i];
      files[i].external_files = {path};
      files[i].options.move_files = true;
    }
    const rocksdb::Status ingested = db_->IngestExternalFiles(files);
    // RocksDB 7.8 takes a file whose first block it cannot read for an empty one, and says OK.
    if (ingested.ok() && Families(batch) != 3) return rocksdb::Status::IOError("the batch cannot be read back");
    return ingested;
  }

  // In how many families the batch is. A read that fails counts as a thousand.
  int Families(int batch) {
    int found = 0;
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      std::string value;
      const rocksdb::Status status = db_->Get({}, family, Key(batch), &value);
      if (status.ok() && value == Value(batch)) ++found;
      if (!status.ok() && !status.IsNotFound()) found += 1'000;
    }
    return found;
  }

 private:
  static std::string Key(int batch) { return std::to_string(1'000'000 + batch); }
  static std::string Value(int batch) { return std::string(2'000, static_cast<char>('a' + batch % 26)); }

  rocksdb::Status WriteTable(const std::string& path, int batch) {
    rocksdb::SstFileWriter table(rocksdb::EnvOptions(), OptionsOn(env_.get()));
    rocksdb::Status status = table.Open(path);
    if (status.ok()) status = table.Put(Key(batch), Value(batch));
    if (status.ok()) status = table.Finish();
    return status;
  }

  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

TEST(FaultyDiskRocksDb, AStoreOpensAgain) {
  FaultyDisk disk;
  for (int batch = 0; batch < 3; ++batch) {
    Store store(disk);
    rocksdb::Status status = store.Open();
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (int earlier = 0; earlier < batch; ++earlier) EXPECT_EQ(store.Families(earlier), 3);
    EXPECT_EQ(store.Families(batch), 0);
    status = store.Ingest(batch);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(store.Families(batch), 3);
  }
}

TEST(FaultyDiskRocksDb, AStoreIsOpenOnce) {
  FaultyDisk disk;
  Store first(disk);
  ASSERT_TRUE(first.Open().ok());
  Store second(disk);
  const rocksdb::Status refused = second.Open();
  EXPECT_TRUE(refused.IsIOError());
  EXPECT_THAT(refused.ToString(), HasSubstr("lock /store/LOCK"));
  first.Close();
  EXPECT_TRUE(second.Open().ok());
}

TEST(FaultyDiskRocksDb, ALossOfPowerEndsTheLock) {
  FaultyDisk disk;
  SeededRandom random(1);
  Store before(disk);
  ASSERT_TRUE(before.Open().ok());
  disk.LosePower(random);
  disk.Restore();
  Store after(disk);
  const rocksdb::Status status = after.Open();
  EXPECT_TRUE(status.ok()) << status.ToString();
}

// Ingests into a store, and loses the power in the middle of whatever the store is doing.
class IngestingCycles {
 public:
  // RocksDB makes the directory of a store, and leaves it to others to make its name durable.
  explicit IngestingCycles(SeededRandom& random) : random_(random) {
    EXPECT_EQ(disk_.MakeDirectory(kStore), absl::OkStatus());
  }

  void Run() {
    const int unacknowledged = IngestUntilPowerIsLost();
    disk_.Restore();
    Store store(disk_);
    const rocksdb::Status opened = store.Open();
    ASSERT_TRUE(opened.ok()) << opened.ToString();
    for (const int batch : durable_) ASSERT_EQ(store.Families(batch), 3);
    if (unacknowledged < 0) return;
    const int families = store.Families(unacknowledged);
    EXPECT_TRUE(families == 0 || families == 3) << families;
    ++(families == 0 ? lost : kept);
    if (families == 3) durable_.insert(unacknowledged);
  }

  // Of what was not acknowledged.
  int kept = 0;
  int lost = 0;

 private:
  // The batch that was under way, or -1.
  int IngestUntilPowerIsLost() {
    Store store(disk_);
    if (random_.Below(4) == 0) disk_.FailFrom(1 + random_.Below(150), DiskFault::kIoError, FaultTimes::kForever);
    bool ok = store.Open().ok();
    if (random_.Below(2) == 0) disk_.FailFrom(1 + random_.Below(20), DiskFault::kSyncError, FaultTimes::kForever);
    int begun = -1;
    while (ok && random_.Below(6) != 0) {
      begun = batches_++;
      ok = store.Ingest(begun).ok();
      if (ok) durable_.insert(begun);
    }
    disk_.LosePower(random_);
    return ok ? -1 : begun;
  }

  SeededRandom& random_;
  FaultyDisk disk_;
  int batches_ = 0;
  std::set<int> durable_;
};

TEST(FaultyDiskRocksDb, WhatWasIngestedSurvivesALossOfPowerAndWhatWasNotIsThereWholeOrNotAtAll) {
  SeededRandom random(1);
  int kept = 0;
  int lost = 0;
  for (int store = 0; store < 30; ++store) {
    IngestingCycles cycles(random);
    for (int cycle = 0; cycle < 20 && !HasFatalFailure(); ++cycle) cycles.Run();
    kept += cycles.kept;
    lost += cycles.lost;
  }
  EXPECT_GT(lost, 100);
  EXPECT_GT(kept, 0);
}

// The n-th operation fails, for every n: the store says so, or it did not need it. What it acknowledged is there.
void ExpectCleanFailures(DiskFault fault, FaultTimes times, DiskOperation operations = DiskOperation::kChange) {
  int errors = 0;
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    FaultyDisk disk;
    disk.FailFrom(n, fault, times, operations);
    std::set<int> durable;
    {
      Store store(disk);
      rocksdb::Status status = store.Open();
      for (int batch = 0; status.ok() && batch < 3; ++batch) {
        status = store.Ingest(batch);
        if (status.ok()) durable.insert(batch);
      }
      failed = disk.failures() > 0;
      EXPECT_TRUE(failed || status.ok()) << n << ": " << status.ToString();
      errors += status.ok() ? 0 : 1;
    }
    disk.StopFailing();
    Store store(disk);
    const rocksdb::Status opened = store.Open();
    ASSERT_TRUE(opened.ok()) << n << ": " << opened.ToString();
    for (int batch : durable) EXPECT_EQ(store.Families(batch), 3) << n;
    ASSERT_LT(n, 1'000u);
  }
  EXPECT_GT(errors, 10);
}

TEST(FaultyDiskRocksDb, AnIoErrorAtEachOperationEndsInACleanError) {
  ExpectCleanFailures(DiskFault::kIoError, FaultTimes::kForever);
  ExpectCleanFailures(DiskFault::kIoError, FaultTimes::kOnce);
}

TEST(FaultyDiskRocksDb, AFailedReadEndsInACleanError) {
  ExpectCleanFailures(DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead);
}

TEST(FaultyDiskRocksDb, AFullDiskAtEachOperationEndsInACleanError) {
  ExpectCleanFailures(DiskFault::kNoSpace, FaultTimes::kForever);
}

TEST(FaultyDiskRocksDb, AFailedSyncAtEachSyncEndsInACleanError) {
  ExpectCleanFailures(DiskFault::kSyncError, FaultTimes::kOnce);
}

}  // namespace
}  // namespace everfold
