// A log for tests of the index: written commit by commit as a committer would, and remembered, so that what an index
// says can be compared with what was written.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "everfold/event/chunk_writer.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

struct IndexedEvents {
  StreamId stream;
  std::vector<std::vector<std::string>> tags = {{}};  // of each event
  std::string type = "test.v1.Filled";                // of all of them
};

struct IndexedCommit {
  CommandId command;
  std::vector<IndexedEvents> streams;
};

LogIdentity IdentityOfTests(std::uint32_t partitions);

// Threading: one thread.
class IndexLog final : public PartitionLog {
 public:
  explicit IndexLog(std::uint32_t partitions);

  // A commit of the group that is open; all of its streams have the same tenant.
  void Append(const IndexedCommit& commit);
  // Ends the group; the chunks are in the log from then on. Returns them.
  std::vector<std::string> EndGroup();
  // One group of one commit.
  std::vector<std::string> AppendGroup(const IndexedCommit& commit);

  Sequence last_sequence() const { return last_sequence_; }
  absl::Time last_recorded_at() const { return recorded_at_; }
  void MoveTime(absl::Duration by) { recorded_at_ += by; }
  // The stream's next commit leaves versions out, which no log may do.
  void LeaveOutVersions(const StreamId& stream, std::uint64_t count) {
    versions_[stream] = VersionOf(stream).Plus(count);
  }

  // What an index has to say.
  Version VersionOf(const StreamId& stream) const;
  std::vector<StreamPlace> PlacesAfter(const StreamId& stream, Version after, std::size_t limit) const;
  std::vector<CommitPlace> Places(const CommandKey& command) const;
  std::vector<TaggedEvent> TaggedAfter(const std::string& tenant, const std::string& tag, Sequence after,
                                       std::size_t limit) const;
  // With an empty type of any.
  std::optional<TaggedEvent> LatestOf(const std::string& tenant, const std::string& type) const;
  std::vector<StreamId> Streams() const;
  std::vector<CommandKey> Commands() const;  // until the next append
  std::vector<std::pair<std::string, std::string>> Tags() const;
  std::vector<std::pair<std::string, std::string>> Types() const;  // by tenant

  // To damage it.
  struct StoredChunk {
    std::string bytes;
    PartitionHead head;
  };
  std::vector<StoredChunk>& chunks(std::uint32_t partition) { return chunks_[partition]; }
  void SetHead(std::uint32_t partition, const PartitionHead& head) { heads_[partition] = head; }
  // Replaces the commit by a tombstone.
  void Erase(Sequence sequence);

  const LogIdentity& identity() const override { return identity_; }
  bool atomic_across_partitions() const override { return true; }
  Strand& strand() const override;  // there is none
  void Append(std::vector<ChunkAppend> group, Done done) override;
  PartitionHead Head(PartitionId partition) const override { return heads_[partition.value()]; }
  // Leaves out chunks without events that stand directly behind `after`, as a log may.
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override;
  void Watch(Hint hint) override;
  void Close(Done done) override;

 private:
  // A commit's part in one partition, in the group that is open.
  struct Part {
    Sequence sequence;
    absl::Time recorded_at;
    CommandId command;
    std::string tenant;
    std::vector<IndexedEvents> streams;
  };

  void AddPart(ChunkWriter& writer, PartitionHead& head, const Part& part);
  TypeId Define(ChunkWriter& writer, std::uint32_t partition, const EventType& type);
  std::string MakeChunk(std::uint32_t partition, const std::vector<Part>& parts);

  LogIdentity identity_;
  std::vector<std::vector<StoredChunk>> chunks_;
  std::vector<PartitionHead> heads_;
  std::vector<std::vector<EventType>> types_;
  Sequence last_sequence_;
  absl::Time recorded_at_ = absl::FromUnixSeconds(1'700'000'000);
  std::map<std::uint32_t, std::vector<Part>> open_;  // by partition

  std::map<StreamId, Version> versions_;
  std::map<StreamId, std::vector<StreamPlace>> places_;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<CommitPlace>> commands_;
  std::map<std::pair<std::string, std::string>, std::vector<TaggedEvent>> tags_;
  std::map<std::pair<std::string, std::string>, TaggedEvent> latest_;  // by tenant and type
};

}  // namespace everfold
