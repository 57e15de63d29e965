// What an event takes on the disk, with all indexes, and what is written there until it is at rest.
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::uint64_t kMostEvents = 2'000'000;
constexpr std::uint64_t kFileEvents = 100'000;

absl::Status Checked(const rocksdb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::InternalError("RocksDB: " + status.ToString());
}

// The key of the n-th payload.
std::string KeyOf(std::uint64_t n) {
  std::string key(8, '\0');
  for (int i = 7; i >= 0; --i, n >>= 8) key[static_cast<std::size_t>(i)] = static_cast<char>(n & 0xff);
  return key;
}

// The ceiling: payloads and nothing else in one sorted file, compressed as the store compresses.
absl::StatusOr<double> BareBytesAnEvent(const Payloads& payloads, const std::string& path) {
  rocksdb::Options options;
  options.compression = rocksdb::kZSTD;
  options.compression_opts.level = 1;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 32 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(), options);
  EVERFOLD_RETURN_IF_ERROR(Checked(file.Open(path)));
  Noise noise(42);
  std::string payload(payloads.bytes(), '\0');
  for (std::uint64_t i = 0; i < kFileEvents; ++i) {
    payloads.Fill(noise, payload.data());
    EVERFOLD_RETURN_IF_ERROR(Checked(file.Put(KeyOf(i), payload)));
  }
  rocksdb::ExternalSstFileInfo info;
  EVERFOLD_RETURN_IF_ERROR(Checked(file.Finish(&info)));
  return static_cast<double>(info.file_size) / kFileEvents;
}

// What was written from some moment on.
class Written {
 public:
  struct Bytes {
    std::uint64_t by_us = 0;
    std::uint64_t to_disk = 0;
  };

  explicit Written(std::string directory) : directory_(std::move(directory)), began_(Now()) {}
  Bytes Since() const {
    const Bytes now = Now();
    return {now.by_us - began_.by_us, now.to_disk - began_.to_disk};
  }

 private:
  Bytes Now() const { return {BytesWritten(), BytesWrittenToDisk(directory_)}; }

  const std::string directory_;
  const Bytes began_;
};

class DiskBench {
 public:
  DiskBench(Run& run, std::uint64_t events) : run_(run), events_(events) {}

  absl::Status Measure() {
    Progress(absl::StrFormat("disk: appending %s events with command ids", ShowNumber(static_cast<double>(events_))));
    EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run_, "disk"));
    WaitUntilQuiet();
    Written bare(run_.scratch.path());
    EVERFOLD_RETURN_IF_ERROR(arena->RunBare(run_.payloads, 1, LoopOf()).status());
    bare_written_ = bare.Since();
    Written ours(run_.scratch.path());
    EVERFOLD_RETURN_IF_ERROR(AppendAndRest(*arena));
    written_ = ours.Since();
    EVERFOLD_ASSIGN_OR_RETURN(bare_bytes_, BareBytesAnEvent(run_.payloads, run_.scratch.path() + "/bare.sst"));
    AddFigures(arena->store_directory());
    return absl::OkStatus();
  }

 private:
  LoopOptions LoopOf() const { return {.callers = 256, .max_events = events_}; }

  // Leaves the store closed, with everything sealed, and merged as far as it merges when it has nothing else to do.
  absl::Status AppendAndRest(Arena& arena) {
    EVERFOLD_RETURN_IF_ERROR(Append(arena));
    EVERFOLD_RETURN_IF_ERROR(arena.store().SealAll());
    WaitUntilQuiet(kUntilMerged);
    EVERFOLD_RETURN_IF_ERROR(arena.Reopen(1));
    WaitUntilQuiet();
    return arena.Close();
  }

  absl::Status Append(Arena& arena) {
    StoreTarget target(arena.store().store(), arena.streams(), run_.payloads, {.command_ids = true});
    return RunClosedLoop(target, LoopOf()).status();
  }

  double AnEvent(std::uint64_t bytes) const { return static_cast<double>(bytes) / static_cast<double>(events_); }

  void AddFigures(const std::string& directory) {
    const std::uint64_t journal = SizeOf(LogDirectory(directory) + "/journal").bytes;
    const DirectorySize all = SizeOf(directory);
    const auto add = [this](const char* name, std::uint64_t bytes) {
      run_.figures.Add({.name = name, .value = AnEvent(bytes), .unit = "B/event"});
    };
    run_.figures.Add({.name = "disk, without the journal's ring",
                      .value = AnEvent(all.bytes - journal),
                      .unit = "B/event",
                      .ceiling = bare_bytes_,
                      .goal = ValueAtMost(130)});
    add("disk, sealed chunks", SizeOf(LogDirectory(directory) + "/sealed").bytes);
    add("disk, index", SizeOf(IndexDirectory(directory)).bytes);
    AddWritten("disk, written a byte appended, until at rest", written_.by_us, bare_written_.by_us);
    AddWritten("disk, the same as the disk counts it", written_.to_disk, bare_written_.to_disk);
    run_.figures.Add({.name = "disk, the journal's ring", .value = static_cast<double>(journal) / 1e6, .unit = "MB"});
    run_.figures.Remark(absl::StrFormat(
        "%d events with command ids over up to %d streams; %d files. Ceiling: payloads alone in one sorted file, zstd",
        events_, Streams::kStreams, all.files));
    run_.figures.Remark("what the disk counts includes the work of others on this machine");
  }

  void AddWritten(const char* name, std::uint64_t ours, std::uint64_t bare) {
    const double appended = static_cast<double>(events_ * kEventBytes);
    run_.figures.Add({.name = name,
                      .value = static_cast<double>(ours) / appended,
                      .unit = "B",
                      .ceiling = static_cast<double>(bare) / appended});
  }

  Run& run_;
  const std::uint64_t events_;
  Written::Bytes written_;
  Written::Bytes bare_written_;
  double bare_bytes_ = 0;
};

}  // namespace

absl::Status BenchDisk(Run& run) {
  run.figures.Section("disk, 200 B events, 30 % noise");
  return DiskBench(run, std::min(run.options.events, kMostEvents)).Measure();
}

}  // namespace everfold::bench
