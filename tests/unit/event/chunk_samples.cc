#include "tests/unit/event/chunk_samples.h"

#include <xxhash.h>

#include <cstring>

namespace everfold {
namespace {

absl::Time RandomTime(RandomSource& random) {
  const auto magnitude = static_cast<std::int64_t>(random.Next() >> (1 + random.Below(63)));
  return absl::FromUnixMicros(random.Below(4) == 0 ? -magnitude : magnitude);
}

std::string RandomText(RandomSource& random) { return random.Bytes(random.Below(4) == 0 ? 0 : random.Below(200)); }

Event RandomEvent(RandomSource& random) {
  Event event;
  event.type = "type" + std::to_string(random.Below(4));
  event.fingerprint = random.Below(2) == 0 ? "" : std::string(32, static_cast<char>('a' + random.Below(2)));
  event.event_time = RandomTime(random);
  for (std::uint64_t left = random.Below(3); left > 0; --left) event.tags.push_back(RandomText(random));
  event.codec = static_cast<PayloadCodec>(random.Below(3));
  event.payload = RandomText(random);
  return event;
}

StreamEvents RandomStream(RandomSource& random, const std::string& tenant) {
  StreamEvents stream;
  stream.stream = {tenant, "jar", RandomText(random)};
  stream.first_version = Version(random.Next() >> random.Below(64));
  for (std::uint64_t left = random.Below(4); left > 0; --left) stream.events.push_back(RandomEvent(random));
  return stream;
}

Commit RandomCommit(RandomSource& random) {
  Commit commit;
  commit.recorded_at = RandomTime(random);
  commit.tenant = RandomText(random);
  commit.command = {RandomText(random), RandomText(random), RandomText(random)};
  commit.metadata = {RandomText(random), RandomText(random), RandomText(random), RandomText(random), {}};
  for (std::uint64_t left = random.Below(3); left > 0; --left) {
    commit.metadata.headers[RandomText(random)] = RandomText(random);
  }
  for (std::uint64_t left = random.Below(4); left > 0; --left) {
    commit.streams.push_back(RandomStream(random, commit.tenant));
  }
  return commit;
}

Commit FullCommit() {
  Commit commit;
  commit.sequence = Sequence(300);
  commit.recorded_at = absl::FromUnixMicros(1'767'225'600'000'001);
  commit.tenant = "acme";
  commit.command = {"wallet.v1.Deposit", "request-1", std::string(32, 'f')};
  commit.metadata = {.correlation_id = "conversation",
                     .causation_id = "cause",
                     .actor = "ann",
                     .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                     .headers = {{"a", "1"}, {"b", ""}}};
  const Event deposited{.type = "wallet.v1.Deposited",
                        .fingerprint = std::string(32, 'p'),
                        .event_time = absl::FromUnixMicros(-1),
                        .tags = {"card:1", ""},
                        .codec = PayloadCodec::kZstd,
                        .payload = std::string("\x08\x00\xff", 3)};
  Event raw = deposited;
  raw.fingerprint.clear();
  commit.streams = {{{"acme", "wallet", "w1"}, Version(7), {deposited, raw, deposited}},
                    {{"acme", "wallet", "{w1}/2"}, Version(1), {raw}}};
  return commit;
}

}  // namespace

ChunkHeader HeaderOf(const std::vector<Commit>& commits) {
  ChunkHeader header{.partition = PartitionId(3),
                     .writer_epoch = 0x0123456789abcdef,
                     .chunk_number = 12,
                     .first_offset = Offset(1000),
                     .event_count = 0,
                     .commit_count = static_cast<std::uint32_t>(commits.size()),
                     .first_sequence = commits.front().sequence,
                     .last_sequence = commits.back().sequence};
  for (const Commit& commit : commits) header.event_count += static_cast<std::uint32_t>(commit.event_count());
  return header;
}

std::vector<Commit> SampleCommits() {
  Commit outcome;
  outcome.sequence = Sequence(302);
  outcome.recorded_at = absl::FromUnixMicros(1'767'225'600'000'002);
  outcome.command = {"wallet.v1.Withdraw", "request-2", "f"};
  return {FullCommit(), outcome};
}

std::string SampleChunk() { return EncodeChunk(HeaderOf(SampleCommits()), SampleCommits()); }

std::vector<Commit> RandomCommits(RandomSource& random) {
  std::vector<Commit> commits;
  std::uint64_t sequence = random.Next() >> (1 + random.Below(60));
  for (std::uint64_t left = 1 + random.Below(5); left > 0; --left) {
    commits.push_back(RandomCommit(random));
    sequence += 1 + random.Below(3);
    commits.back().sequence = Sequence(sequence);
  }
  return commits;
}

void Reseal(std::string& chunk) {
  const std::uint64_t seed = XXH3_64bits(chunk.data(), 56);
  const std::uint64_t checksum =
      XXH3_64bits_withSeed(chunk.data() + kChunkHeaderBytes, chunk.size() - kChunkHeaderBytes, seed);
  std::memcpy(chunk.data() + 56, &checksum, sizeof(checksum));
}

}  // namespace everfold
