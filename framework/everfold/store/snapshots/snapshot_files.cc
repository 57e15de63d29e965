#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/log/files/rocks_final_errors.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/snapshots/snapshot_bytes.h"
#include "everfold/store/snapshots/snapshot_store.h"

namespace everfold {
namespace {

absl::Status StatusOf(const rocksdb::Status& status, const char* doing) {
  if (status.ok()) return absl::OkStatus();
  const bool damaged = status.IsCorruption();
  return Error(damaged ? absl::StatusCode::kDataLoss : absl::StatusCode::kInternal,
               damaged ? reason::kDataLoss : reason::kStorageFailed,
               absl::StrFormat("snapshots could not be %s: %s", doing, status.ToString()));
}

// RocksDB tells it by an error of its lock file, in words for another process, and in others for this one.
bool IsLocked(const rocksdb::Status& status) {
  const std::string told = status.ToString();
  return status.IsIOError() && (told.find("While lock file") != std::string::npos ||
                                told.find("lock hold by current process") != std::string::npos);
}

rocksdb::Options RocksOptions(rocksdb::Env* env, std::size_t cache_bytes) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  StopAtFirstError(options);
  options.write_buffer_size = 8 << 20;
  options.max_open_files = 128;
  options.max_background_jobs = 1;
  options.compression = rocksdb::kNoCompression;
  for (const rocksdb::CompressionType type : rocksdb::GetSupportedCompressions()) {
    if (type == rocksdb::kLZ4Compression) options.compression = type;
  }
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_cache = rocksdb::NewLRUCache(cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::string KeyOf(const StreamId& stream) {
  return std::string(EntryName::OfStream(stream.tenant, stream.aggregate, stream.id).bytes());
}

// RocksDB without its log of writes: what was not flushed when the process died is lost, and nobody minds.
// But that one was dropped: it was wrong, and is flushed.
class SnapshotFiles final : public SnapshotStore {
 public:
  SnapshotFiles(std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> rocks, std::size_t max_waiting_bytes)
      : max_waiting_bytes_(max_waiting_bytes), env_(std::move(env)), rocks_(std::move(rocks)) {}

  absl::StatusOr<std::optional<Snapshot>> Find(const StreamId& stream, std::string_view key) const override {
    std::string value;
    const rocksdb::Status status = rocks_->Get(rocksdb::ReadOptions(), KeyOf(stream), &value);
    if (status.IsNotFound()) return std::nullopt;
    EVERFOLD_RETURN_IF_ERROR(StatusOf(status, "read"));
    return DecodeSnapshot(value, key);
  }

  void Save(const StreamId& stream, std::string_view key, Snapshot snapshot) override {
    EVERFOLD_CHECK(key.size() == kSnapshotKeyBytes);
    Write({KeyOf(stream), EncodeSnapshot(snapshot, key)});
  }
  void Drop(const StreamId& stream) override {
    const std::string key = KeyOf(stream);
    MutexLock no_write(&writing_);
    {
      MutexLock lock(&mutex_);
      std::erase_if(waiting_, [&key](const Entry& entry) { return entry.key == key; });
    }
    ResumeAfterError();
    const bool dropped = rocks_->Delete(Unlogged(), key).ok() && rocks_->Flush(rocksdb::FlushOptions()).ok();
    if (!dropped) failed_.fetch_add(1, std::memory_order_relaxed);
  }

  SnapshotCounts counts() const override {
    return {saved_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed),
            failed_.load(std::memory_order_relaxed)};
  }

  void Close(Task done) override {
    thread_.Post([this, done = std::move(done)]() mutable {
      Flush();
      done();
    });
  }

 private:
  struct Entry {
    std::string key;
    std::string value;
  };

  static rocksdb::WriteOptions Unlogged() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return options;
  }

  void Write(Entry entry) {
    const std::size_t bytes = entry.key.size() + entry.value.size();
    bool first = false;
    {
      MutexLock lock(&mutex_);
      if (waiting_bytes_ + bytes > max_waiting_bytes_) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      first = waiting_.empty();
      waiting_bytes_ += bytes;
      waiting_.push_back(std::move(entry));
    }
    if (first) thread_.Post([this] { WriteWaiting(); });
  }

  // A full disk may have room again, and a snapshot is no loss if it has not.
  void ResumeAfterError() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_) {
    if (failed_.load(std::memory_order_relaxed) == failed_when_resumed_) return;
    failed_when_resumed_ = failed_.load(std::memory_order_relaxed);
    rocks_->Resume().PermitUncheckedError();
  }

  // On the thread.
  void WriteWaiting() {
    std::vector<Entry> entries;
    MutexLock no_drop(&writing_);
    {
      MutexLock lock(&mutex_);
      entries.swap(waiting_);
      waiting_bytes_ = 0;
    }
    ResumeAfterError();
    for (const Entry& entry : entries) {
      const rocksdb::Status status = rocks_->Put(Unlogged(), entry.key, entry.value);
      (status.ok() ? saved_ : failed_).fetch_add(1, std::memory_order_relaxed);
    }
  }
  void Flush() {
    WriteWaiting();
    if (!rocks_->Flush(rocksdb::FlushOptions()).ok()) failed_.fetch_add(1, std::memory_order_relaxed);
  }

  const std::size_t max_waiting_bytes_;
  const std::unique_ptr<rocksdb::Env> env_;  // RocksDB uses it to its end
  const std::unique_ptr<rocksdb::DB> rocks_;
  std::atomic<std::uint64_t> saved_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  Mutex writing_;  // by one at a time: what is dropped is not written afterwards
  std::uint64_t failed_when_resumed_ ABSL_GUARDED_BY(writing_) = 0;
  Mutex mutex_;
  std::vector<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  DiskThread thread_{"everfold-snap", DiskThread::Priority::kLow};  // ends first
};

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenRocks(const rocksdb::Options& options, const std::string& directory) {
  rocksdb::DB* rocks = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, &rocks);
  if (IsLocked(status)) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kStoreLocked,
                 absl::StrFormat("%s is open in another process", directory));
  }
  EVERFOLD_RETURN_IF_ERROR(StatusOf(status, "opened"));
  return std::unique_ptr<rocksdb::DB>(rocks);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SnapshotStore>> OpenSnapshotFiles(const SnapshotFilesOptions& options,
                                                                 std::string& began_anew) {
  began_anew.clear();
  EVERFOLD_RETURN_IF_ERROR(options.files->MakeDirectory(options.directory));
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(options.files->ForRocksDb());
  const rocksdb::Options rocks_options = RocksOptions(env.get(), options.cache_bytes);
  absl::StatusOr<std::unique_ptr<rocksdb::DB>> rocks = OpenRocks(rocks_options, options.directory);
  if (!rocks.ok() && ReasonOf(rocks.status()) != reason::kStoreLocked) {
    began_anew = std::string(rocks.status().message());
    EVERFOLD_RETURN_IF_ERROR(options.files->RemoveAll(options.directory));
    EVERFOLD_RETURN_IF_ERROR(options.files->MakeDirectory(options.directory));
    rocks = OpenRocks(rocks_options, options.directory);
  }
  EVERFOLD_RETURN_IF_ERROR(rocks.status());
  return std::make_unique<SnapshotFiles>(std::move(env), *std::move(rocks), options.max_waiting_bytes);
}

}  // namespace everfold
