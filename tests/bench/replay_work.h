// What a replay does with what it reads, and the threads that it reads on.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/v1/measured.pb.h"

namespace everfold::bench {

enum class Replay {
  kChunks,    // nothing
  kEvents,    // every event is visited, and its bytes are counted
  kParseAll,  // every payload is parsed, all of them into one message
  kParseOne,  // only the payloads of one type are, the others are skipped
};

struct ReplayResult {
  std::uint64_t chunks = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t events = 0;  // that were visited or parsed
  std::uint64_t payload_bytes = 0;
  absl::Duration elapsed;
};

// Takes what one thread reads. Threading: one thread.
class ReplaySink {
 public:
  explicit ReplaySink(Replay replay) : parses_(replay == Replay::kParseAll || replay == Replay::kParseOne) {}

  void TakeChunk(std::string_view chunk) {
    ++result_.chunks;
    result_.chunk_bytes += chunk.size();
  }
  // DATA_LOSS for a payload that does not parse.
  absl::Status TakeEvent(std::string_view payload);
  const ReplayResult& result() const { return result_; }

 private:
  const bool parses_;
  ReplayResult result_;
  ::bench::v1::Measured message_;
};

// Calls `read` for every partition, on so many threads, each of which takes the next one when it has done with one.
absl::StatusOr<ReplayResult> OverPartitions(
    std::uint32_t partitions, int threads, Replay replay,
    const std::function<absl::Status(std::uint32_t partition, ReplaySink& sink)>& read);

}  // namespace everfold::bench
