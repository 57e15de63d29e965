#include "everfold/store/index/index_lookups.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>

#include "everfold/base/status.h"
#include "everfold/log/files/rocks_iterator.h"
#include "everfold/store/index/entry_bytes.h"

namespace everfold {
namespace {

// An iterator over entries whose names are that of the key it sought; the filters of the files spare it most of them.
std::unique_ptr<rocksdb::Iterator> OverOneName(const IndexDatabase& database, EntryKind kind) {
  rocksdb::ReadOptions options = IteratorOptions();
  options.prefix_same_as_start = true;
  return database.NewIterator(kind, options);
}

// The entry an iterator stands on, without the `prefix` bytes in front of its key.
absl::Status ReadStream(const IndexDatabase& database, const rocksdb::Iterator& at, std::size_t prefix,
                        StreamEntry& entry) {
  const std::string_view key = at.key().ToStringView().substr(prefix);
  if (DecodeStream(key, at.value().ToStringView(), entry)) return absl::OkStatus();
  return database.Damaged("an entry of a stream does not decode");
}

absl::Status AppendPlacesOfDay(const IndexDatabase& database, const std::string& prefix,
                               std::vector<CommitPlace>& places) {
  const std::unique_ptr<rocksdb::Iterator> entries = OverOneName(database, EntryKind::kCommands);
  for (entries->Seek(prefix); entries->Valid(); entries->Next()) {
    const std::string_view key = entries->key().ToStringView().substr(kCommandPrefixBytes);
    if (!DecodeCommand(key, entries->value().ToStringView(), places.emplace_back())) {
      return database.Damaged("an entry of a command does not decode");
    }
  }
  return database.StatusOf(entries->status(), "read");
}

// Of a command's key.
DatedDigest DatedDigestOf(std::string_view key) {
  DatedDigest command{.day = DayOfCommand(key), .digest = {}};
  const std::string_view digest = key.substr(kCommandPrefixBytes - kStoredDigestBytes, kStoredDigestBytes);
  std::copy(digest.begin(), digest.end(), command.digest.digest.begin());
  return command;
}

}  // namespace

absl::StatusOr<Version> FindVersion(const IndexDatabase& database, std::string_view stream) {
  const std::unique_ptr<rocksdb::Iterator> entries = OverOneName(database, EntryKind::kStreams);
  entries->Seek(stream);  // the newest stands first
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  if (!entries->Valid()) return Version();
  StreamEntry newest;
  EVERFOLD_RETURN_IF_ERROR(ReadStream(database, *entries, stream.size(), newest));
  return newest.last_version();
}

absl::StatusOr<std::vector<StreamEntry>> FindEntriesAfter(const IndexDatabase& database, std::string_view stream,
                                                          Version after, std::size_t limit) {
  const std::unique_ptr<rocksdb::Iterator> entries = OverOneName(database, EntryKind::kStreams);
  entries->Seek(StreamSeekKey(stream, after.Next()));
  // All of it begins later: the first entry is the last one before where version 0 would be.
  if (!entries->Valid() && entries->status().ok()) entries->SeekForPrev(StreamSeekKey(stream, Version()));
  std::vector<StreamEntry> found;
  for (; entries->Valid() && found.size() < limit; entries->Prev()) {
    StreamEntry entry;
    EVERFOLD_RETURN_IF_ERROR(ReadStream(database, *entries, stream.size(), entry));
    if (entry.last_version() > after) found.push_back(entry);
  }
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  return found;
}

absl::StatusOr<std::vector<TaggedEvent>> FindTaggedAfter(const IndexDatabase& database, std::string_view tag,
                                                         Sequence after, std::size_t limit) {
  const std::unique_ptr<rocksdb::Iterator> entries = OverOneName(database, EntryKind::kTags);
  std::vector<TaggedEvent> found;
  for (entries->Seek(TagSeekKey(tag, after)); entries->Valid() && found.size() < limit; entries->Next()) {
    const std::string_view key = entries->key().ToStringView().substr(tag.size());
    if (!DecodeTag(key, entries->value().ToStringView(), found.emplace_back())) {
      return database.Damaged("an entry of a tag does not decode");
    }
  }
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  return found;
}

absl::StatusOr<std::optional<TaggedEvent>> FindLatest(const IndexDatabase& database, std::string_view type) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<std::string> value, database.Get(EntryKind::kLatest, type));
  if (!value.has_value()) return std::nullopt;
  TaggedEvent latest;
  if (!DecodeLatest(*value, latest)) return database.Damaged("the latest event of a type does not decode");
  return latest;
}

absl::StatusOr<std::string> ReadCommands(const IndexDatabase& database, const std::string& from, std::size_t limit,
                                         std::vector<DatedDigest>& commands) {
  rocksdb::ReadOptions options = IteratorOptions();
  options.total_order_seek = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entries = database.NewIterator(EntryKind::kCommands, options);
  for (entries->Seek(from); entries->Valid(); entries->Next()) {
    const std::string_view key = entries->key().ToStringView();
    if (commands.size() == limit) return std::string(key);
    if (key.size() < kCommandPrefixBytes) return database.Damaged("the key of a command does not decode");
    commands.push_back(DatedDigestOf(key));
  }
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  return std::string();
}

absl::StatusOr<std::vector<CommitPlace>> FindPlaces(const IndexDatabase& database, const CommandDigest& command,
                                                    const std::vector<Day>& days, Day first_day) {
  std::vector<CommitPlace> places;
  for (const Day day : days) {
    if (day < first_day) continue;
    EVERFOLD_RETURN_IF_ERROR(AppendPlacesOfDay(database, CommandPrefix(day, command), places));
  }
  return places;
}

}  // namespace everfold
