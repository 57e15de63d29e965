#include "everfold/log/embedded/embedded_log.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/append_rules.h"
#include "everfold/log/embedded/chunk_iterator.h"
#include "everfold/log/embedded/chunk_key.h"
#include "everfold/log/embedded/database.h"
#include "everfold/log/embedded/store_directory.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/runtime/disk_thread.h"

namespace everfold {
namespace {

class RocksLog final : public EmbeddedLog {
 public:
  // What opening found.
  struct Store {
    std::unique_ptr<StoreDirectory> directory;
    Database database;
    LogIdentity identity;
    std::vector<PartitionHead> heads;
  };

  RocksLog(EmbeddedLogOptions options, Store store)
      : options_(std::move(options)), store_(std::move(store)), heads_(store_.heads), disk_("everfold-log") {}

  const LogIdentity& identity() const override { return store_.identity; }
  bool atomic_across_partitions() const override { return true; }

  void Append(std::vector<ChunkAppend> group, Done done) override {
    CheckGroup(group, store_.identity.partitions);
    outstanding_.Begin();
    MutexLock lock(&waiting_mutex_);
    waiting_.push_back({std::move(group), std::move(done)});
    if (waiting_.size() == 1) disk_.Post([this] { WriteWaiting(); });
  }

  PartitionHead Head(PartitionId partition) const override {
    EVERFOLD_CHECK(partition.value() < store_.identity.partitions);
    MutexLock lock(&heads_mutex_);
    return heads_[partition.value()];
  }

  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    EVERFOLD_CHECK(partition.value() < store_.identity.partitions);
    return ReadChunks(*store_.database.rocks, partition, after, [this, partition] { return Head(partition); });
  }

  void Watch(Hint hint) override { hints_.push_back(std::move(hint)); }

  void Close(Done done) override {
    // Behind the write of everything that waits, which is posted already.
    disk_.Post([this, done = std::move(done)]() mutable {
      hints_.clear();
      done(absl::OkStatus());
    });
  }

 private:
  struct WaitingAppend {
    std::vector<ChunkAppend> group;
    Done done;
  };

  // On the disk thread: everything that waits, in one write and with one sync.
  void WriteWaiting() {
    std::vector<WaitingAppend> appends;
    {
      MutexLock lock(&waiting_mutex_);
      appends.swap(waiting_);
    }
    rocksdb::WriteBatch batch;
    absl::Status refusal = Admissible();
    std::size_t admitted = 0;
    while (refusal.ok() && admitted < appends.size()) {
      refusal = Admit(appends[admitted].group, batch);
      if (refusal.ok()) ++admitted;
    }
    const absl::Status written = admitted > 0 ? Write(batch) : absl::OkStatus();
    if (admitted > 0 && written.ok()) Publish();
    for (std::size_t i = 0; i < appends.size(); ++i) Tell(appends[i].done, i < admitted ? written : refusal);
    if (admitted > 0 && written.ok()) {
      for (Hint& hint : hints_) hint();
    }
  }

  absl::Status Admissible() const {
    EVERFOLD_RETURN_IF_ERROR(outstanding_.failure());
    const std::uint64_t free = options_.free_bytes != nullptr ? options_.free_bytes() : store_.directory->FreeBytes();
    if (free >= options_.reserved_bytes) return absl::OkStatus();
    return Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull,
                 absl::StrFormat("%d bytes are free for the store in %s, %d are to stay free", free,
                                 store_.directory->path(), options_.reserved_bytes),
                 {{"free_bytes", std::to_string(free)}, {"reserved_bytes", std::to_string(options_.reserved_bytes)}});
  }

  absl::Status Admit(const std::vector<ChunkAppend>& group, rocksdb::WriteBatch& batch) {
    EVERFOLD_RETURN_IF_ERROR(CompareHeads(group, store_.heads));
    for (const ChunkAppend& append : group) {
      store_.heads[append.partition.value()] = append.new_head;
      const absl::Status put =
          StatusOf(batch.Put(EncodeChunkKey({append.partition, append.new_head}), append.bytes), "filling a write");
      EVERFOLD_CHECK(put.ok());  // it is memory
    }
    return absl::OkStatus();
  }

  absl::Status Write(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const rocksdb::Status status = store_.database.rocks->Write(synced, &batch);
    return status.ok() ? absl::OkStatus() : OutcomeUnknown(status.ToString());
  }

  void Publish() {
    MutexLock lock(&heads_mutex_);
    heads_ = store_.heads;
  }

  void Tell(Done& done, absl::Status outcome) {
    done(outstanding_.Settle(std::move(outcome)));
    outstanding_.End();
  }

  const EmbeddedLogOptions options_;
  Store store_;  // its heads are the disk thread's: what is written, and perhaps not yet synced
  mutable Mutex heads_mutex_;
  std::vector<PartitionHead> heads_ ABSL_GUARDED_BY(heads_mutex_);  // what is durable
  OutstandingAppends outstanding_;
  Mutex waiting_mutex_;
  std::vector<WaitingAppend> waiting_ ABSL_GUARDED_BY(waiting_mutex_);
  std::vector<Hint> hints_;  // the disk thread's from the first append on
  DiskThread disk_;          // last: it ends what it has while everything else is still there
};

absl::StatusOr<std::vector<PartitionHead>> RecoverHeads(rocksdb::DB& database, std::uint32_t partitions) {
  std::vector<PartitionHead> heads;
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    EVERFOLD_ASSIGN_OR_RETURN(const PartitionHead head, RecoverHead(database, PartitionId(partition)));
    heads.push_back(head);
  }
  return heads;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(EmbeddedLogOptions options, RandomSource& random) {
  if (options.partitions > kMaxPartitions) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("a store has 1 to %d partitions, not %d", kMaxPartitions, options.partitions));
  }
  RocksLog::Store store;
  EVERFOLD_ASSIGN_OR_RETURN(store.directory, StoreDirectory::Claim(options.directory));
  EVERFOLD_ASSIGN_OR_RETURN(store.database, OpenDatabase(store.directory->path()));
  EVERFOLD_ASSIGN_OR_RETURN(store.identity, LoadOrCreateIdentity(*store.database.rocks, options.partitions, random));
  EVERFOLD_ASSIGN_OR_RETURN(store.heads, RecoverHeads(*store.database.rocks, store.identity.partitions));
  return std::make_unique<RocksLog>(std::move(options), std::move(store));
}

}  // namespace everfold
