// The commits that one sync makes durable, while they are being gathered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/append.h"
#include "everfold/store/boundary_window.h"
#include "everfold/store/index/written_group.h"
#include "everfold/store/prepared_append.h"
#include "everfold/store/recorded_command.h"
#include "everfold/store/store_index.h"

namespace everfold {

// A group that is on its way into the log.
struct CommitGroup {
  std::vector<ChunkAppend> chunks;             // one for each partition that it touches
  LogTail tail;                                // of the log when it is durable
  std::vector<const PreparedAppend*> commits;  // in it
  WrittenGroup written;                        // for the index, if it can be told so
  bool plain = true;                           // no tags, and no type is defined
};

// Builds one group after the other. Each request is checked against the durable state and everything that is on its
// way, in order; whether that will become durable is not known yet, so what is told of it must wait.
//
// Threading: one thread. Lifetime: not longer than log and index; requests that were taken in stay until their group is
// settled or abandoned.
class GroupBuilder {
 public:
  GroupBuilder(const PartitionLog& log, const StoreIndex& index, LogTail tail, std::uint64_t writer_epoch);

  // Takes the request in as the next commit, or finds that it repeats an earlier one: `request.result` is what its
  // caller is told. Or finds why not; then it changes nothing.
  absl::Status Add(PreparedAppend& request, absl::Time now);

  bool empty() const { return touched_.empty(); }
  std::size_t commits() const { return group_.commits.size(); }
  std::size_t bytes() const { return bytes_; }
  // The group that was gathered; the next one begins. REQUIRES: not empty.
  CommitGroup Finish();

  // The group is durable, and the index has it.
  void Settle(const CommitGroup& group);
  // None of the groups since the last one that was settled will ever be durable.
  void Abandon();

 private:
  // By names that stand in the requests: to copy them would cost more than to look them up.
  struct HashOfName {
    std::size_t operator()(const EntryName* name) const { return name->hash(); }
  };
  struct SameName {
    bool operator()(const EntryName* a, const EntryName* b) const { return *a == *b; }
  };
  template <class Value>
  using ByName = absl::flat_hash_map<const EntryName*, Value, HashOfName, SameName>;

  struct PartitionChunk {
    ChunkWriter writer;
    PartitionHead before;
    bool open = false;
  };

  absl::StatusOr<std::optional<AppendResult>> FindRepeat(const PreparedAppend& request) const;
  absl::StatusOr<Version> VersionOf(const EntryName& stream) const;
  absl::Status CheckExpectations(const PreparedAppend& request);
  void Place(PreparedAppend& request, absl::Time recorded_at);
  void PlaceStream(const PreparedStream& stream, Version before, StreamResult& result);
  void SetOnWay(const EntryName& stream, Version version);
  void SetCommandOnWay(const PreparedAppend& request);
  void AddPart(const PreparedAppend& request, std::size_t part, absl::Time recorded_at);
  void AddWrittenEvents(const PreparedAppend& request, PartitionId partition);
  void AddWrittenCommand(const PreparedAppend& request, const PreparedPart& part, absl::Time recorded_at);
  PartitionChunk& OpenChunk(PartitionId partition);
  TypeId TypeIdOf(PartitionId partition, const EventType& type, ChunkWriter& writer);
  absl::Time NextRecordedAt(const PreparedAppend& request, absl::Time now) const;
  void Forget(const PreparedAppend& commit);

  const PartitionLog& log_;
  const StoreIndex& index_;
  const std::uint64_t writer_epoch_;
  LogTail tail_;                                                 // with everything that is on its way
  LogTail settled_;                                              // durable
  std::vector<absl::flat_hash_map<EventType, TypeId>> defined_;  // by partition, since the last Abandon
  std::vector<TypeId> last_type_;                                // by partition
  BoundaryWindow boundary_;
  ByName<Version> versions_on_way_;
  ByName<const PreparedAppend*> commands_on_way_;

  // Of the group that is being gathered.
  std::vector<PartitionChunk> chunks_;  // by partition
  std::vector<PartitionId> touched_;
  std::size_t bytes_ = 0;  // of the bodies
  CommitGroup group_;

  // Scratch.
  std::vector<Version> versions_;  // of the request's streams, before it
  std::vector<Version> first_versions_;
  std::vector<TypeId> type_ids_;
};

}  // namespace everfold
