// What encoding and reading the log's format costs, in nanoseconds a commit or an event of 200 bytes.
//
//   cmake --preset release && cmake --build --preset release --target chunk_bench
//   build/release/tests/bench/chunk_bench
#include <benchmark/benchmark.h>

#include "everfold/base/check.h"
#include "everfold/base/random.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"

namespace everfold {
namespace {

constexpr std::uint32_t kCommits = 256;  // a chunk, as many callers make it
constexpr TypeId kTypes = 20;
constexpr std::size_t kPayloadBytes = 200;

const StreamId kStream{"", "wallet", "w-00012345"};
const CommandId kCommand{"wallet.v1.Deposit", "request-00012345", std::string(32, 'f')};

std::string Payload() {
  SeededRandom random(1);
  return random.Bytes(kPayloadBytes);
}

void EncodeBody(const CommandId& command, std::string_view payload, std::string& body) {
  body.clear();
  CommitBodyWriter writer(body);
  writer.Begin("", command, {});
  writer.Stream(kStream, 1);
  writer.Event(PayloadCodec::kPlain, std::nullopt, {}, payload);
}

ChunkHeader Header() {
  ChunkHeader header;
  header.chunk_number = 1;
  header.first_offset = Offset(1'000'000);
  return header;
}

// One event a commit; the types take turns.
void AddCommit(std::uint32_t i, std::string_view body, ChunkWriter& writer) {
  const Version versions[] = {Version(1 + i)};
  const TypeId types[] = {1 + i % kTypes};
  writer.Add({.sequence = Sequence(1'000'000 + i),
              .recorded_at = absl::FromUnixMicros(1'767'225'600'000'000 + i),
              .command_type = 1,
              .first_versions = versions,
              .event_types = types,
              .body = body});
}

std::string MakeChunk() {
  std::string body;
  EncodeBody(kCommand, Payload(), body);
  ChunkWriter writer;
  Chain chain;
  writer.Begin(Header(), chain);
  for (std::uint32_t i = 0; i < kCommits; ++i) AddCommit(i, body, writer);
  return writer.Finish(chain);
}

void BM_EncodeCommitBody(benchmark::State& state) {
  const std::string payload = Payload();
  std::string body;
  for (auto _ : state) {
    EncodeBody(kCommand, payload, body);
    benchmark::DoNotOptimize(body.data());
  }
}
BENCHMARK(BM_EncodeCommitBody);

// With the leaf, and without the rest of Finish.
void BM_AddCommit(benchmark::State& state) {
  std::string body;
  EncodeBody(kCommand, Payload(), body);
  ChunkWriter writer;
  Chain chain;
  while (state.KeepRunningBatch(kCommits)) {
    writer.Begin(Header(), chain);
    for (std::uint32_t i = 0; i < kCommits; ++i) AddCommit(i, body, writer);
    state.PauseTiming();
    benchmark::DoNotOptimize(writer.Finish(chain));
    state.ResumeTiming();
  }
}
BENCHMARK(BM_AddCommit);

// What of that is SHA-256.
void BM_Leaf(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  EVERFOLD_CHECK(chunk.NextCommit());
  for (auto _ : state) benchmark::DoNotOptimize(LeafOf(chunk.commit_bytes()));
  state.counters["bytes"] = static_cast<double>(chunk.commit_bytes().size());
}
BENCHMARK(BM_Leaf);

// A whole chunk, told per commit: Begin, Add, Finish.
void BM_WriteChunk(benchmark::State& state) {
  std::string body;
  EncodeBody(kCommand, Payload(), body);
  ChunkWriter writer;
  Chain chain;
  while (state.KeepRunningBatch(kCommits)) {
    writer.Begin(Header(), chain);
    for (std::uint32_t i = 0; i < kCommits; ++i) AddCommit(i, body, writer);
    benchmark::DoNotOptimize(writer.Finish(chain));
  }
}
BENCHMARK(BM_WriteChunk);

// The checksum, which Open compares, told per commit.
void BM_OpenChunk(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  while (state.KeepRunningBatch(kCommits)) benchmark::DoNotOptimize(ChunkReader::Open(bytes).ok());
}
BENCHMARK(BM_OpenChunk);

void BM_ReadEvents(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  benchmark::IterationCount events = 0;
  while (state.KeepRunningBatch(kCommits)) {
    ChunkReader chunk = ChunkReader::Open(bytes).value();
    while (chunk.NextCommit()) {
      while (chunk.NextStream()) {
        while (chunk.NextEvent()) {
          benchmark::DoNotOptimize(chunk.event().payload.data());
          ++events;
        }
      }
    }
    EVERFOLD_CHECK(chunk.status().ok());
  }
  EVERFOLD_CHECK(events == state.iterations());
}
BENCHMARK(BM_ReadEvents);

// None of the commits is wanted: what is left is the skipping.
void BM_SkipCommits(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  WantedTypes wanted(kTypes + 2, false);
  wanted[kTypes + 1] = true;
  const ChunkReader opened = ChunkReader::Open(bytes).value();
  while (state.KeepRunningBatch(kCommits)) {
    ChunkReader chunk = opened;
    EVERFOLD_CHECK(!chunk.NextCommitOf(wanted) && chunk.status().ok());
  }
}
BENCHMARK(BM_SkipCommits);

// One type of twenty, with Open, told per commit.
void BM_ReadOneTypeOfTwenty(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  WantedTypes wanted(kTypes + 1, false);
  wanted[7] = true;
  while (state.KeepRunningBatch(kCommits)) {
    ChunkReader chunk = ChunkReader::Open(bytes).value();
    while (chunk.NextCommitOf(wanted)) {
      while (chunk.NextStream() && chunk.NextEvent()) benchmark::DoNotOptimize(chunk.event().payload.data());
    }
    EVERFOLD_CHECK(chunk.status().ok());
  }
}
BENCHMARK(BM_ReadOneTypeOfTwenty);

void BM_VerifyChain(benchmark::State& state) {
  const std::string bytes = MakeChunk();
  while (state.KeepRunningBatch(kCommits)) benchmark::DoNotOptimize(ChainOf(bytes, Chain()).ok());
}
BENCHMARK(BM_VerifyChain);

}  // namespace
}  // namespace everfold

BENCHMARK_MAIN();
