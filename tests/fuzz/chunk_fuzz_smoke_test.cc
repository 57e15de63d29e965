// The fuzzer's entry point, driven by changed samples from fixed seeds: a short run of it in every build.
#include <algorithm>

#include "gtest/gtest.h"
#include "tests/fuzz/chunk_fuzzer.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

std::vector<std::string> Samples() {
  const std::string tombstone = WithTombstone(SampleChunk(), Sequence(300), "asked to").value();
  std::vector<std::string> samples = {SampleChunk(), tombstone, ChunkOf({SampleCommits()[1]})};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    samples.push_back(ChunkOf(RandomCommits(random)));
  }
  return samples;
}

// A number that is likely to be on the edge of something.
char EdgeByte(RandomSource& random) {
  static constexpr unsigned char kEdges[] = {0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff};
  return static_cast<char>(kEdges[random.Below(std::size(kEdges))]);
}

void Change(std::string& chunk, RandomSource& random) {
  // The smaller part of a chunk that is header and definitions gets half of the changes.
  const std::size_t most = random.Below(2) == 0 ? chunk.size() : std::min<std::size_t>(chunk.size(), 200);
  const std::size_t at = random.Below(most);
  const std::size_t count = random.Below(1 + std::min<std::size_t>(chunk.size() - at, 20));
  switch (random.Below(6)) {
    case 0:
      chunk[at] = static_cast<char>(random.Next());
      return;
    case 1:
      chunk[at] = EdgeByte(random);
      return;
    case 2:
      chunk[at] = static_cast<char>(chunk[at] + (random.Below(2) == 0 ? 1 : -1));
      return;
    case 3:
      chunk.erase(at, count);
      break;
    case 4:
      chunk.insert(at, std::string(count, EdgeByte(random)));
      break;
    case 5:
      chunk.insert(random.Below(chunk.size()), chunk.substr(at, count));
      break;
  }
  if (chunk.empty()) chunk = "E";
}

TEST(ChunkFuzz, NoChangedSampleBreaksAReader) {
  const std::vector<std::string> samples = Samples();
  const std::uint64_t whole_before = WholeChunksMet();
  constexpr int kRuns = 80'000;  // about a second
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    SeededRandom random(seed);
    std::string chunk = samples[seed % samples.size()];
    for (std::uint64_t left = 1 + random.Below(3); left > 0; --left) Change(chunk, random);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(chunk.data()), chunk.size());
  }
  const std::uint64_t whole = WholeChunksMet() - whole_before;
  EXPECT_GT(whole, kRuns / 10);      // or the readers are not reached
  EXPECT_LT(whole, kRuns * 9 / 10);  // or nothing is refused
}

TEST(ChunkFuzz, EverySampleIsAWholeChunk) {
  for (const std::string& chunk : Samples()) {
    const std::uint64_t before = WholeChunksMet();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(chunk.data()), chunk.size());
    EXPECT_EQ(WholeChunksMet(), before + 2);  // as it is, and repaired
  }
}

TEST(ChunkFuzz, InputsOfAnySizeAreTaken) {
  const std::string chunk = SampleChunk();
  for (std::size_t size = 0; size <= chunk.size(); ++size) {
    const std::string cut = chunk.substr(0, size);  // a copy, so that reading beyond it is seen
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(cut.data()), cut.size()), 0);
  }
}

}  // namespace
}  // namespace everfold
