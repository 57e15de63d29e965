#include "tests/bench/replay_work.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "everfold/base/mutex.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

// What the threads of one replay share.
class Readers {
 public:
  Readers(std::uint32_t partitions, Replay replay, const std::function<absl::Status(std::uint32_t, ReplaySink&)>& read)
      : partitions_(partitions), replay_(replay), read_(read) {}

  void Run() {
    ReplaySink sink(replay_);
    absl::Status status;
    for (std::uint32_t next = next_++; next < partitions_ && status.ok(); next = next_++) status = read_(next, sink);
    Add(sink.result(), std::move(status));
  }
  absl::StatusOr<ReplayResult> result() {
    MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    return result_;
  }

 private:
  void Add(const ReplayResult& part, absl::Status status) {
    MutexLock lock(&mutex_);
    failure_.Update(std::move(status));
    result_.chunks += part.chunks;
    result_.chunk_bytes += part.chunk_bytes;
    result_.events += part.events;
    result_.payload_bytes += part.payload_bytes;
  }

  const std::uint32_t partitions_;
  const Replay replay_;
  const std::function<absl::Status(std::uint32_t, ReplaySink&)>& read_;
  std::atomic<std::uint32_t> next_{0};
  Mutex mutex_;
  ReplayResult result_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status ReplaySink::TakeEvent(std::string_view payload) {
  ++result_.events;
  result_.payload_bytes += payload.size();
  if (!parses_ || message_.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return absl::OkStatus();
  return absl::DataLossError("a payload does not parse");
}

absl::StatusOr<ReplayResult> OverPartitions(std::uint32_t partitions, int threads, Replay replay,
                                            const std::function<absl::Status(std::uint32_t, ReplaySink&)>& read) {
  Readers readers(partitions, replay, read);
  const std::int64_t began = NowNanos();
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) running.emplace_back([&readers] { readers.Run(); });
  }
  absl::StatusOr<ReplayResult> result = readers.result();
  if (result.ok()) result->elapsed = absl::Nanoseconds(NowNanos() - began);
  return result;
}

}  // namespace everfold::bench
