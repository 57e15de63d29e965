#include "everfold/store/index/index_lookups.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <memory>

#include "everfold/base/status.h"
#include "everfold/log/files/rocks_iterator.h"
#include "everfold/store/index/entry_bytes.h"
#include "everfold/store/index/name_prefix.h"

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

// Behind every key that begins with the name.
std::string BehindName(std::string_view name) {
  std::string key(name);
  key.back() = 1;
  return key;
}

bool IsOfName(const rocksdb::Iterator& at, std::string_view name) { return at.Valid() && at.key().starts_with(name); }

// Goes over entries name by name.
class HeadReader {
 public:
  HeadReader(const IndexDatabase& database, EntryKind kind, rocksdb::Iterator& entries)
      : database_(database), is_stream_(kind == EntryKind::kStreams), entries_(entries) {}

  // REQUIRES, here and below: it stands on an entry. Of this one; empty if it does not decode.
  std::string_view Name() const {
    const std::string_view key = entries_.key().ToStringView();
    return key.substr(0, SizeOfNames(key, is_stream_ ? kNamesOfStream : kNamesOfTag));
  }
  // Moves behind the entries of the name on whose first one it stands.
  absl::Status Take(NameHead& head) { return is_stream_ ? TakeVersion(head) : TakeLastSequence(head); }
  // In steps from entry to entry.
  std::size_t work() const { return work_; }

 private:
  // The next name is looked for by so many steps before it is sought, which costs as much.
  static constexpr std::size_t kStepsOfName = 100;

  // The newest entry stands first.
  absl::Status TakeVersion(NameHead& head) {
    const std::string_view name = head.name.bytes();
    StreamEntry newest;
    EVERFOLD_RETURN_IF_ERROR(ReadStream(database_, entries_, name.size(), newest));
    head.head = newest.last_version().value();
    for (std::size_t i = 0; i < kStepsOfName && IsOfName(entries_, name); ++i) Next();
    if (!IsOfName(entries_, name)) return absl::OkStatus();
    entries_.Seek(BehindName(name));
    work_ += kStepsOfName;
    return absl::OkStatus();
  }

  // The newest entry stands last.
  absl::Status TakeLastSequence(NameHead& head) {
    const std::string_view name = head.name.bytes();
    for (std::size_t i = 0; i < kStepsOfName && IsOfName(entries_, name); ++i) {
      EVERFOLD_RETURN_IF_ERROR(ReadSequence(head));
      Next();
    }
    if (!IsOfName(entries_, name)) return absl::OkStatus();
    entries_.SeekForPrev(BehindName(name));
    work_ += kStepsOfName;
    EVERFOLD_RETURN_IF_ERROR(database_.StatusOf(entries_.status(), "read"));
    if (!IsOfName(entries_, name)) return database_.Damaged("the last entry of a tag is not where it was");
    EVERFOLD_RETURN_IF_ERROR(ReadSequence(head));
    Next();
    return absl::OkStatus();
  }

  absl::Status ReadSequence(NameHead& head) const {
    TaggedEvent event;
    const std::string_view key = entries_.key().ToStringView().substr(head.name.bytes().size());
    if (!DecodeTag(key, entries_.value().ToStringView(), event)) {
      return database_.Damaged("an entry of a tag does not decode");
    }
    head.head = event.sequence.value();
    return absl::OkStatus();
  }

  void Next() {
    entries_.Next();
    ++work_;
  }

  const IndexDatabase& database_;
  const bool is_stream_;
  rocksdb::Iterator& entries_;
  std::size_t work_ = 0;
};

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

absl::StatusOr<std::string> ReadHeads(const IndexDatabase& database, EntryKind kind, const std::string& from,
                                      std::vector<NameHead>& heads) {
  constexpr std::size_t kNames = 512;
  constexpr std::size_t kWork = 10'000;
  rocksdb::ReadOptions options = IteratorOptions();
  options.total_order_seek = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entries = database.NewIterator(kind, options);
  HeadReader reader(database, kind, *entries);
  entries->Seek(from);
  while (entries->Valid()) {
    const std::string_view name = reader.Name();
    if (name.empty()) return database.Damaged("the key of a name does not decode");
    if (heads.size() == kNames || reader.work() >= kWork) return std::string(name);
    heads.push_back({EntryName::OfBytes(name), 0});
    EVERFOLD_RETURN_IF_ERROR(reader.Take(heads.back()));
  }
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  return std::string();
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
