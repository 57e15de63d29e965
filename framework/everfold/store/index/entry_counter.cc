#include "everfold/store/index/entry_counter.h"

#include <rocksdb/db.h>

#include <memory>
#include <optional>
#include <string>

#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/files/rocks_iterator.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/generation_writer.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {
namespace {

// Bytes of the names in front of a key; 0 if there are not as many.
std::size_t NameBytes(std::string_view key, int names) {
  std::size_t end = 0;
  for (; names > 0; --names) {
    const std::size_t zero = key.find('\0', end);
    if (zero == std::string_view::npos) return 0;
    end = zero + 1;
  }
  return end;
}

// The first name; `rest` is what follows it. REQUIRES: there is one.
std::string_view TakeName(std::string_view& rest) {
  const std::size_t zero = rest.find('\0');
  const std::string_view name = rest.substr(0, zero);
  rest.remove_prefix(zero + 1);
  return name;
}

}  // namespace

bool EntryCounter::PartitionOfName(std::string_view name, PartitionId& partition) const {
  if (NameBytes(name, kNamesOfStream) != name.size()) return false;
  StreamId stream;
  stream.tenant = TakeName(name);
  stream.aggregate = TakeName(name);
  stream.id = TakeName(name);
  partition = PartitionOf(stream, static_cast<std::uint32_t>(upto_.heads.size()));
  return true;
}

void EntryCounter::CountStream(PartitionId partition, const StreamEntry& entry) {
  if (entry.first_offset <= left_out_.heads[partition.value()].offset) return;
  if (entry.first_offset > upto_.heads[partition.value()].offset) return;
  ++counts_.streams;
  counts_.events += entry.events;
}

void EntryCounter::Count(const IndexGeneration& generation) {
  PartitionId partition;
  for (const StreamRow& stream : generation.streams()) {
    if (!PartitionOfName(stream.name, partition)) continue;
    for (const StreamEntry& entry : stream.entries) CountStream(partition, entry);
  }
  for (const TagRow& tag : generation.tags()) {
    for (const TaggedEvent& event : tag.entries) counts_.tags += Counts(event.sequence);
  }
  for (const CommandRow& command : generation.commands()) {
    for (const CommandEntry& entry : command.entries)
      counts_.commands += entry.day >= first_day_ && Counts(entry.place.sequence);
  }
}

template <class CountEntry>
absl::Status EntryCounter::CountKind(const IndexDatabase& database, const rocksdb::Snapshot& snapshot, EntryKind kind,
                                     CountEntry count_entry) {
  rocksdb::ReadOptions options = IteratorOptions();
  options.snapshot = &snapshot;
  options.total_order_seek = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entries = database.NewIterator(kind, options);
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (!count_entry(entries->key().ToStringView(), entries->value().ToStringView())) {
      return database.Damaged("an entry does not decode");
    }
  }
  return database.StatusOf(entries->status(), "read");
}

absl::Status EntryCounter::CountFiles(const IndexDatabase& database, const rocksdb::Snapshot& snapshot) {
  const auto count_stream = [this](std::string_view key, std::string_view value) {
    const std::size_t name = NameBytes(key, kNamesOfStream);
    PartitionId partition;
    StreamEntry entry;
    if (!PartitionOfName(key.substr(0, name), partition) || !DecodeStream(key.substr(name), value, entry)) return false;
    CountStream(partition, entry);
    return true;
  };
  const auto count_tag = [this](std::string_view key, std::string_view value) {
    TaggedEvent event;
    if (!DecodeTag(key.substr(NameBytes(key, kNamesOfTag)), value, event)) return false;
    counts_.tags += Counts(event.sequence);
    return true;
  };
  const auto count_command = [this](std::string_view key, std::string_view value) {
    CommitPlace place;
    if (key.size() < kCommandPrefixBytes || !DecodeCommand(key.substr(kCommandPrefixBytes), value, place)) return false;
    counts_.commands += DayOfCommand(key) >= first_day_ && Counts(place.sequence);
    return true;
  };
  EVERFOLD_RETURN_IF_ERROR(CountKind(database, snapshot, EntryKind::kStreams, count_stream));
  EVERFOLD_RETURN_IF_ERROR(CountKind(database, snapshot, EntryKind::kTags, count_tag));
  return CountKind(database, snapshot, EntryKind::kCommands, count_command);
}

absl::StatusOr<LogTail> TailOf(const IndexDatabase& database, const rocksdb::Snapshot& snapshot,
                               std::size_t partitions) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                            database.Get(EntryKind::kCheckpoint, kCheckpointKey, &snapshot));
  if (!bytes.has_value()) return database.Damaged("there is no checkpoint");
  EVERFOLD_ASSIGN_OR_RETURN(IndexCheckpoint checkpoint,
                            DecodeCheckpoint(*bytes, static_cast<std::uint32_t>(partitions)));
  return std::move(checkpoint.tail);
}

}  // namespace everfold
