#include "everfold/store/index/generation_writer.h"

#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "everfold/base/status.h"
#include "everfold/store/index/index_entries.h"

namespace everfold {
namespace {

class SortedFile {
 public:
  static absl::StatusOr<std::unique_ptr<SortedFile>> Create(const IndexDatabase& database, EntryKind kind) {
    std::unique_ptr<SortedFile> file(new SortedFile(database, database.FileOptions(kind)));
    EVERFOLD_RETURN_IF_ERROR(file->Check(file->writer_.Open(database.IncomingPath(kind))));
    return file;
  }

  // REQUIRES: keys grow.
  absl::Status Put(std::string_view key, std::string_view value) { return Check(writer_.Put(key, value)); }
  absl::Status Put(const EntryPair& entry) { return Put(entry.key, entry.value); }
  absl::Status Finish() { return Check(writer_.Finish()); }

 private:
  SortedFile(const IndexDatabase& database, const rocksdb::Options& options)
      : database_(database), writer_(rocksdb::EnvOptions(options), options) {}

  absl::Status Check(const rocksdb::Status& status) const { return database_.StatusOf(status, "written"); }

  const IndexDatabase& database_;
  rocksdb::SstFileWriter writer_;
};

// A row with the first bytes in which its name differs from others: few comparisons then wait for the names.
template <class Row>
struct SortedRow {
  std::uint64_t front;
  const Row* row;
  friend bool operator<(const SortedRow& a, const SortedRow& b) {
    return a.front != b.front ? a.front < b.front : a.row->name < b.row->name;
  }
};

// Big-endian; zeros behind the end, where no name goes on with one.
std::uint64_t FrontOf(std::string_view name) {
  std::uint64_t front = 0;
  for (std::size_t i = 0; i < sizeof(front); ++i) {
    front = front << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
  }
  return front;
}

template <class Row>
std::size_t CommonPrefix(const std::vector<Row>& rows) {
  const std::string_view first = rows.front().name;
  std::size_t common = first.size();
  for (const Row& row : rows) {
    const auto differs = std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(common),
                                       row.name.begin(), row.name.end());
    common = static_cast<std::size_t>(differs.first - first.begin());
  }
  return common;
}

// Rows in the order of their names. REQUIRES: there are some.
template <class Row>
std::vector<SortedRow<Row>> Sorted(const std::vector<Row>& rows) {
  const std::size_t common = CommonPrefix(rows);
  std::vector<SortedRow<Row>> sorted;
  sorted.reserve(rows.size());
  for (const Row& row : rows) sorted.push_back({FrontOf(row.name.substr(common)), &row});
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Calls `visit` with each row in the order of their names, and has the processor fetch those that come next: they stand
// in memory in another order. REQUIRES: there are some.
template <class Row, class Visit>
absl::Status ForEachSorted(const std::vector<Row>& rows, Visit visit) {
  constexpr std::size_t kAhead = 8;
  const std::vector<SortedRow<Row>> sorted = Sorted(rows);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + 2 * kAhead < sorted.size()) __builtin_prefetch(sorted[i + 2 * kAhead].row);
    if (i + kAhead < sorted.size()) {
      __builtin_prefetch(sorted[i + kAhead].row->name.data());
      __builtin_prefetch(sorted[i + kAhead].row->entries.data());
    }
    EVERFOLD_RETURN_IF_ERROR(visit(*sorted[i].row));
  }
  return absl::OkStatus();
}

absl::Status WriteStreams(const std::vector<StreamRow>& streams, SortedFile& file) {
  return ForEachSorted(streams, [&file, pair = EntryPair()](const StreamRow& stream) mutable {
    for (auto entry = stream.entries.rbegin(); entry != stream.entries.rend(); ++entry) {
      EncodeStream(stream.name, *entry, pair);
      EVERFOLD_RETURN_IF_ERROR(file.Put(pair));
    }
    return absl::OkStatus();
  });
}

absl::Status WriteTags(const std::vector<TagRow>& tags, SortedFile& file) {
  return ForEachSorted(tags, [&file, pair = EntryPair()](const TagRow& tag) mutable {
    for (const TaggedEvent& event : tag.entries) {
      EncodeTag(tag.name, event, pair);
      EVERFOLD_RETURN_IF_ERROR(file.Put(pair));
    }
    return absl::OkStatus();
  });
}

// The front of its key, in one number each, so that few comparisons wait for the rest.
struct DatedCommand {
  Day day;
  std::uint64_t front;
  const CommandDigest* digest;
  const CommandEntry* entry;

  // As their keys: a later sequence stands first.
  friend bool operator<(const DatedCommand& a, const DatedCommand& b) {
    if (a.day != b.day) return a.day < b.day;
    if (a.front != b.front) return a.front < b.front;
    return std::tuple(b.entry->place.sequence, a.entry->place.partition) <
           std::tuple(a.entry->place.sequence, b.entry->place.partition);
  }
};

absl::Status WriteCommands(const std::vector<CommandRow>& rows, SortedFile& file) {
  std::vector<DatedCommand> commands;
  commands.reserve(rows.size());
  for (const CommandRow& row : rows) {
    const std::uint64_t front = FrontOf(row.digest.bytes().substr(0, kStoredDigestBytes));
    for (const CommandEntry& entry : row.entries) commands.push_back({entry.day, front, &row.digest, &entry});
  }
  std::sort(commands.begin(), commands.end());
  EntryPair pair;
  for (const DatedCommand& command : commands) {
    EncodeCommand(*command.digest, *command.entry, pair);
    EVERFOLD_RETURN_IF_ERROR(file.Put(pair));
  }
  return absl::OkStatus();
}

absl::Status WritePairs(const std::vector<EntryPair>& pairs, SortedFile& file) {
  for (const EntryPair& pair : pairs) EVERFOLD_RETURN_IF_ERROR(file.Put(pair));
  return absl::OkStatus();
}

std::vector<EntryPair> PairsOf(const std::vector<TypeEntry>& types) {
  std::vector<EntryPair> pairs;
  for (const TypeEntry& entry : types) EncodeType(entry, pairs.emplace_back());
  std::sort(pairs.begin(), pairs.end(), [](const EntryPair& a, const EntryPair& b) { return a.key < b.key; });
  return pairs;
}

std::vector<EntryPair> PairsOf(const IndexCheckpoint& checkpoint, std::string_view identity) {
  return {{std::string(kCheckpointKey), EncodeCheckpoint(checkpoint)},
          {std::string(kIdentityKey), std::string(identity)}};
}

// Collects the files of one generation.
class GenerationFiles {
 public:
  explicit GenerationFiles(IndexDatabase& database) : database_(database) {}

  // A file of no rows is none.
  template <class Row>
  absl::Status Write(EntryKind kind, const std::vector<Row>& rows,
                     absl::Status (*write_rows)(const std::vector<Row>&, SortedFile&)) {
    if (rows.empty()) return absl::OkStatus();
    EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<SortedFile> file, SortedFile::Create(database_, kind));
    EVERFOLD_RETURN_IF_ERROR(write_rows(rows, *file));
    written_.push_back(kind);
    return file->Finish();
  }
  absl::Status Install() { return database_.Install(written_); }

 private:
  IndexDatabase& database_;
  std::vector<EntryKind> written_;
};

}  // namespace

absl::Status WriteGeneration(IndexDatabase& database, const IndexGeneration& generation,
                             const IndexCheckpoint& checkpoint, std::string_view identity) {
  GenerationFiles files(database);
  EVERFOLD_RETURN_IF_ERROR(files.Write(EntryKind::kStreams, generation.streams(), WriteStreams));
  EVERFOLD_RETURN_IF_ERROR(files.Write(EntryKind::kTags, generation.tags(), WriteTags));
  EVERFOLD_RETURN_IF_ERROR(files.Write(EntryKind::kCommands, generation.commands(), WriteCommands));
  EVERFOLD_RETURN_IF_ERROR(files.Write(EntryKind::kTypes, PairsOf(generation.types()), WritePairs));
  EVERFOLD_RETURN_IF_ERROR(files.Write(EntryKind::kCheckpoint, PairsOf(checkpoint, identity), WritePairs));
  return files.Install();
}

}  // namespace everfold
