#include "tests/contract/chunk_making.h"

#include "everfold/base/random.h"
#include "everfold/event/chunk_writer.h"

namespace everfold {
namespace {

std::string MakeBody(PartitionId partition, const PartitionHead& head, ChunkShape shape) {
  SeededRandom random(partition.value() * 1'000'003 + head.chunk_number);
  std::string body;
  CommitBodyWriter writer(body);
  writer.Begin("", {"test.v1.Fill", "request-1", "fingerprint"}, {});
  if (shape.events == 0) return body;
  writer.Stream({"", "jar", "j" + std::to_string(partition.value())}, shape.events);
  for (std::uint32_t i = 0; i < shape.events; ++i) {
    writer.Event(PayloadCodec::kPlain, std::nullopt, {}, random.Bytes(shape.payload_bytes));
  }
  return body;
}

}  // namespace

ChunkAppend MakeChunk(PartitionId partition, PartitionHead head, ChunkShape shape) {
  ChunkHeader header;
  header.partition = partition;
  header.chunk_number = head.chunk_number + 1;
  header.first_offset = head.offset.Next();
  ChunkWriter writer;
  writer.Begin(header, head.chain);
  if (head.chunk_number == 0) {
    writer.Define({1, {"test.v1.Fill", ""}});
    writer.Define({2, {"test.v1.Filled", ""}});
  }
  const std::string body = MakeBody(partition, head, shape);
  const std::vector<Version> first_versions(shape.events == 0 ? 0 : 1, Version(head.offset.value() + 1));
  const std::vector<TypeId> types(shape.events, 2);
  writer.Add({.sequence = Sequence(head.chunk_number + 1),
              .recorded_at = absl::FromUnixSeconds(1'700'000'000),
              .command_type = 1,
              .first_versions = first_versions,
              .event_types = types,
              .body = body});
  ChunkAppend append;
  append.partition = partition;
  append.expected_head = head;
  append.new_head = {head.offset.Plus(shape.events), head.chunk_number + 1};
  append.bytes = std::make_shared<const std::string>(writer.Finish(append.new_head.chain));
  return append;
}

}  // namespace everfold
