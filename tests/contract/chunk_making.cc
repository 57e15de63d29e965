#include "tests/contract/chunk_making.h"

#include "everfold/base/random.h"
#include "everfold/event/chunk.h"

namespace everfold {
namespace {

Commit MakeCommit(PartitionId partition, PartitionHead head, ChunkShape shape) {
  SeededRandom random(partition.value() * 1'000'003 + head.chunk_number);
  Commit commit;
  commit.sequence = Sequence(head.chunk_number + 1);
  commit.recorded_at = absl::FromUnixSeconds(1'700'000'000);
  commit.command = {"test.v1.Fill", "request-1", "fingerprint"};
  if (shape.events == 0) return commit;
  StreamEvents& stream = commit.streams.emplace_back();
  stream.stream = {"", "jar", "j1"};
  stream.first_version = Version(head.offset.value() + 1);
  for (std::uint32_t i = 0; i < shape.events; ++i) {
    Event& event = stream.events.emplace_back();
    event.type = "test.v1.Filled";
    event.event_time = commit.recorded_at;
    event.payload = random.Bytes(shape.payload_bytes);
  }
  return commit;
}

}  // namespace

ChunkAppend MakeChunk(PartitionId partition, PartitionHead head, ChunkShape shape) {
  ChunkHeader header;
  header.partition = partition;
  header.chunk_number = head.chunk_number + 1;
  header.first_offset = head.offset.Next();
  ChunkAppend append;
  append.partition = partition;
  append.expected_head = head;
  append.new_head = {head.offset.Plus(shape.events), head.chunk_number + 1};
  append.bytes = EncodeChunk(header, {MakeCommit(partition, head, shape)});
  return append;
}

}  // namespace everfold
