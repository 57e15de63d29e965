#include "tests/unit/event/chunk_samples.h"

#include <xxhash.h>

#include <cstring>

#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

absl::Time RandomTime(RandomSource& random) {
  const auto magnitude = static_cast<std::int64_t>(random.Next() >> (2 + random.Below(62)));
  return absl::FromUnixMicros(random.Below(4) == 0 ? -magnitude : magnitude);
}

std::string RandomText(RandomSource& random) { return random.Bytes(random.Below(4) == 0 ? 0 : random.Below(200)); }

Event RandomEvent(const Commit& commit, RandomSource& random) {
  Event event;
  event.type = "type" + std::to_string(random.Below(4));
  event.fingerprint = random.Below(2) == 0 ? "" : std::string(32, static_cast<char>('a' + random.Below(2)));
  event.event_time = random.Below(2) == 0 ? commit.recorded_at : RandomTime(random);
  for (std::uint64_t left = random.Below(3); left > 0; --left) event.tags.push_back(RandomText(random));
  event.codec = static_cast<PayloadCodec>(random.Below(3));
  event.payload = RandomText(random);
  return event;
}

StreamEvents RandomStream(const Commit& commit, RandomSource& random) {
  StreamEvents stream;
  stream.stream = {commit.tenant, "jar", RandomText(random)};
  stream.first_version = Version(1 + (random.Next() >> (1 + random.Below(63))));
  for (std::uint64_t left = random.Below(4); left > 0; --left) stream.events.push_back(RandomEvent(commit, random));
  return stream;
}

Commit RandomCommit(absl::Time recorded_at, RandomSource& random) {
  Commit commit;
  commit.recorded_at = recorded_at;
  commit.tenant = RandomText(random);
  if (random.Below(4) > 0) commit.command.type = "command" + std::to_string(random.Below(3));
  if (random.Below(4) > 0) {
    commit.command.id = "id" + RandomText(random);
    commit.command.fingerprint = RandomText(random);
  }
  commit.metadata = {RandomText(random), RandomText(random), RandomText(random), RandomText(random), {}};
  for (std::uint64_t left = random.Below(3); left > 0; --left) {
    commit.metadata.headers[RandomText(random)] = RandomText(random);
  }
  for (std::uint64_t left = random.Below(4); left > 0; --left) commit.streams.push_back(RandomStream(commit, random));
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
  Event raw{.type = "wallet.v1.Deposited",
            .fingerprint = "",
            .event_time = commit.recorded_at,
            .tags = {},
            .codec = PayloadCodec::kPlain,
            .payload = ""};
  commit.streams = {{{"acme", "wallet", "w1"}, Version(7), {deposited, raw, deposited}},
                    {{"acme", "wallet", "{w1}/2"}, Version(1), {raw}}};
  return commit;
}

template <class Integer>
void Put(Integer value, std::size_t at, std::string& chunk) {
  std::memcpy(chunk.data() + at, &value, sizeof(value));
}

}  // namespace

ChunkMaker::ChunkMaker(const ChunkHeader& first) : next_(first) {}

std::string ChunkMaker::Make(const std::vector<Commit>& commits) {
  writer_.Begin(next_, chain_);
  for (const Commit& commit : commits) {
    Add(commit);
    next_.first_offset = next_.first_offset.Plus(commit.event_count());
  }
  ++next_.chunk_number;
  return writer_.Finish(chain_);
}

TypeId ChunkMaker::IdOf(const EventType& type) {
  const auto [id, added] = ids_.try_emplace({type.name, type.fingerprint}, static_cast<TypeId>(ids_.size() + 1));
  if (added) writer_.Define({id->second, type});
  return id->second;
}

void ChunkMaker::Add(const Commit& commit) {
  std::vector<Version> first_versions;
  std::vector<TypeId> event_types;
  const TypeId command_type = commit.command.type.empty() ? 0 : IdOf({commit.command.type, ""});
  for (const StreamEvents& stream : commit.streams) {
    first_versions.push_back(stream.first_version);
    for (const Event& event : stream.events) event_types.push_back(IdOf({event.type, event.fingerprint}));
  }
  const std::string body = EncodeBody(commit);
  writer_.Add({.sequence = commit.sequence,
               .recorded_at = commit.recorded_at,
               .command_type = command_type,
               .first_versions = first_versions,
               .event_types = event_types,
               .body = body});
}

std::string EncodeBody(const Commit& commit) {
  std::string body;
  CommitBodyWriter writer(body);
  writer.Begin(commit.tenant, commit.command, commit.metadata);
  for (const StreamEvents& stream : commit.streams) {
    writer.Stream(stream.stream, stream.events.size());
    for (const Event& event : stream.events) {
      std::optional<absl::Time> event_time;
      if (event.event_time != commit.recorded_at) event_time = event.event_time;
      writer.Event(event.codec, event_time, event.tags, event.payload);
    }
  }
  return body;
}

ChunkHeader SampleHeader() {
  ChunkHeader header;
  header.partition = PartitionId(3);
  header.writer_epoch = 0x0123456789abcdef;
  header.chunk_number = 12;
  header.first_offset = Offset(1000);
  return header;
}

ChunkHeader HeaderOf(const std::vector<Commit>& commits) {
  ChunkHeader header = SampleHeader();
  header.commit_count = static_cast<std::uint32_t>(commits.size());
  header.first_sequence = commits.front().sequence;
  header.last_sequence = commits.back().sequence;
  header.base_time = commits.front().recorded_at;
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

std::string ChunkOf(const std::vector<Commit>& commits) { return ChunkMaker(SampleHeader()).Make(commits); }

Commit ErasedCommit(const Commit& commit) {
  Commit erased;
  erased.sequence = commit.sequence;
  erased.recorded_at = commit.recorded_at;
  erased.tenant = commit.tenant;
  erased.erased = true;
  for (const StreamEvents& stream : commit.streams) {
    erased.streams.push_back({stream.stream, stream.first_version, {}, stream.events.size()});
  }
  return erased;
}

std::string SampleChunk() { return ChunkOf(SampleCommits()); }

std::vector<Commit> RandomCommits(RandomSource& random) {
  std::vector<Commit> commits;
  std::uint64_t sequence = random.Next() >> (1 + random.Below(60));
  absl::Time recorded_at = RandomTime(random);
  for (std::uint64_t left = 1 + random.Below(5); left > 0; --left) {
    commits.push_back(RandomCommit(recorded_at, random));
    sequence += 1 + random.Below(3);
    commits.back().sequence = Sequence(sequence);
    recorded_at += absl::Microseconds(random.Next() >> (4 + random.Below(60)));
  }
  return commits;
}

const TypeDictionary& NoTypes() {
  static const auto* const none = new TypeDictionary(kMaxPartitions);
  return *none;
}

void Reseal(std::string& chunk) {
  Put(static_cast<std::uint32_t>(chunk.size()), 8, chunk);
  const std::uint64_t seed = XXH3_64bits(chunk.data(), 120);
  Put(std::uint64_t{XXH3_64bits_withSeed(chunk.data() + 128, chunk.size() - 128, seed)}, 120, chunk);
}

}  // namespace everfold
