// What the index costs: CPU time to write and to compact an entry, files, memory, and looks into the files, while the
// index grows. Without a log: generations are filled here, written, and compacted before the next one comes.
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string_view>
#include <thread>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/store/index/generation_writer.h"
#include "everfold/store/index/index_lookups.h"
#include "tests/bench/machine.h"
#include "tests/bench/scratch.h"
#include "tests/bench/streams.h"

namespace everfold::bench {
namespace {

constexpr std::uint32_t kPartitions = 16;
constexpr std::size_t kGenerationBytes = 16 << 20;
constexpr int kLooks = 20'000;

double ThreadCpuUs() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double ProcessCpuUs() { return absl::ToDoubleMicroseconds(CpuTime()); }

class IndexBench {
 public:
  IndexBench(const std::string& directory, bool commands)
      : directory_(directory), commands_(commands), versions_(Streams::kStreams) {
    LogIdentity log;
    log.epoch.bytes = std::string(16, 'e');
    log.partitions = kPartitions;
    identity_ = EncodeIndexIdentity(log);
    checkpoint_.tail.heads.resize(kPartitions);
    checkpoint_.days = {20000};
    auto database = IndexDatabase::Create(PosixFiles(), directory, 64 << 20);
    EVERFOLD_CHECK(database.ok());
    database_ = std::move(*database);
  }

  void GrowTo(std::uint64_t events) {
    const std::uint64_t before = events_;
    double write_us = 0;
    double compact_us = 0;
    while (events_ < events) {
      IndexGeneration generation;
      Fill(generation);
      const double thread = ThreadCpuUs();
      EVERFOLD_CHECK(WriteGeneration(*database_, generation, checkpoint_, identity_).ok());
      write_us += ThreadCpuUs() - thread;
      Rest();
      compact_us += ProcessCpuUs() - ThreadCpuUs() - others_us_;
      others_us_ = ProcessCpuUs() - ThreadCpuUs();
    }
    const double added = static_cast<double>(events_ - before);
    const DirectorySize size = SizeOf(directory_);
    std::cout << absl::StrFormat(
        "%10d events: write %.2f us, compact %.2f us an event; %d files, %.1f B/event; %d MB\n", events_,
        write_us / added, compact_us / added, size.files,
        static_cast<double>(size.bytes) / static_cast<double>(events_), ResidentBytes() / 1'000'000);
  }

  void Merge() {
    std::atomic<bool> cancelled = false;
    std::cout << absl::StrFormat("%d runs, merged into one:\n", database_->runs());
    EVERFOLD_CHECK(database_->MergeRuns(~std::uint64_t{0}, cancelled).ok());
    EVERFOLD_CHECK(database_->runs() == 1);
  }

  void Look() {
    Time("VersionOf", [this](std::uint32_t stream) {
      const auto version = FindVersion(*database_, NameOf(stream).bytes());
      EVERFOLD_CHECK(version.ok() && *version == Version(versions_[stream]));
    });
    Time("VersionOf, no such stream", [this](std::uint32_t stream) {
      const auto version = FindVersion(*database_, NameOf(Streams::kStreams + stream).bytes());
      EVERFOLD_CHECK(version.ok() && *version == Version());
    });
    Time("PlacesAfter, last", [this](std::uint32_t stream) {
      if (versions_[stream] == 0) return;
      const auto places = FindEntriesAfter(*database_, NameOf(stream).bytes(), Version(versions_[stream] - 1), 100);
      EVERFOLD_CHECK(places.ok() && places->size() == 1);
    });
    Time("PlacesAfter, all", [this](std::uint32_t stream) {
      if (versions_[stream] == 0) return;
      const auto places = FindEntriesAfter(*database_, NameOf(stream).bytes(), Version(), 100'000);
      EVERFOLD_CHECK(places.ok() && places->size() == versions_[stream]);
    });
    if (!commands_) return;
    Time("FindCommand", [this](std::uint32_t) {
      const auto places = FindPlaces(*database_, DigestOf(random_() % events_), checkpoint_.days, Day{0});
      EVERFOLD_CHECK(places.ok() && places->size() == 1);
    });
    Time("FindCommand, none", [this](std::uint32_t) {
      const auto places =
          FindPlaces(*database_, DigestOf(events_ + random_() % 1'000'000'000), checkpoint_.days, Day{0});
      EVERFOLD_CHECK(places.ok() && places->empty());
    });
  }

 private:
  static EntryName NameOf(std::uint32_t stream) {
    const StreamId id = Streams::NameOf(stream);
    return EntryName::OfStream(id.tenant, id.aggregate, id.id);
  }

  static CommandDigest DigestOf(std::uint64_t n) {
    n += 0x9e3779b97f4a7c15;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    n = (n ^ n >> 27) * 0x94d049bb133111eb;
    n ^= n >> 31;
    CommandDigest digest;
    std::memcpy(digest.digest.data(), &n, sizeof(n));
    return digest;
  }

  void Fill(IndexGeneration& generation) {
    while (generation.bytes() < kGenerationBytes) {
      const auto stream = static_cast<std::uint32_t>(random_() % Streams::kStreams);
      const PartitionId partition(stream % kPartitions);
      PartitionHead& head = checkpoint_.tail.heads[partition.value()];
      if (head.offset.value() % 8 == 0) ++head.chunk_number;
      if (commands_) {
        generation.AddCommand(DigestOf(events_),
                              {20000, {partition, head.offset, head.chunk_number, Sequence(events_ + 1)}});
      }
      head.offset = head.offset.Next();
      generation.AddStream(NameOf(stream), {Version(++versions_[stream]), head.offset, 1});
      ++events_;
    }
    checkpoint_.tail.last_sequence = Sequence(events_);
  }

  // Until RocksDB's threads do nothing.
  void Rest() {
    for (int quiet = 0; quiet < 5;) {
      const double others = ProcessCpuUs() - ThreadCpuUs();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      quiet = ProcessCpuUs() - ThreadCpuUs() - others > 100 ? 0 : quiet + 1;
    }
  }

  template <class Visit>
  void Time(const char* what, Visit visit) {
    for (int i = 0; i < kLooks / 4; ++i) visit(static_cast<std::uint32_t>(random_() % Streams::kStreams));
    const double began = ThreadCpuUs();
    for (int i = 0; i < kLooks; ++i) visit(static_cast<std::uint32_t>(random_() % Streams::kStreams));
    std::cout << absl::StrFormat("  %-26s %.1f us\n", what, (ThreadCpuUs() - began) / kLooks);
  }

  const std::string directory_;
  const bool commands_;
  std::string identity_;
  IndexCheckpoint checkpoint_;
  std::unique_ptr<IndexDatabase> database_;
  std::vector<std::uint32_t> versions_;
  std::uint64_t events_ = 0;
  double others_us_ = 0;
  std::mt19937_64 random_{42};
};

constexpr std::uint64_t kSteps = 5;  // at which figures are told

int Main(int argc, char** argv) {
  const bool commands = argc == 4 && std::string_view(argv[3]) == "commands";
  const std::uint64_t events = argc < 3 ? 0 : std::strtoull(argv[2], nullptr, 10);
  if (events < kSteps || argc != (commands ? 4 : 3)) {
    std::cerr << "index_bench DIRECTORY EVENTS [commands]: what the index costs; with command ids too\n";
    return 2;
  }
  const absl::StatusOr<Scratch> scratch = Scratch::Make(argv[1]);
  EVERFOLD_CHECK(scratch.ok());
  IndexBench bench(scratch->path() + "/index", commands);
  for (std::uint64_t i = 1; i <= kSteps; ++i) bench.GrowTo(events * i / kSteps);
  bench.Look();
  bench.Merge();
  bench.Look();
  return 0;
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
