// The entries that came since the last files were written, in memory.
//
// There are up to two generations: one that fills, and one before it that is being written. The second does not change
// until it is in the files.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/index/kept_names.h"
#include "everfold/store/index/latest_events.h"
#include "everfold/store/index/row_table.h"

namespace everfold {

// All entries of a stream or a tag, in order; nearly all have one.
template <class Entry>
struct NamedRow {
  explicit NamedRow(const EntryName& of) : hash_of_name(of.hash()), name(of.bytes()) {}
  std::size_t hash() const { return hash_of_name; }
  bool Is(const EntryName& of) const { return hash_of_name == of.hash() && name == of.bytes(); }

  std::size_t hash_of_name;
  std::string_view name;
  absl::InlinedVector<Entry, 1> entries;
};
using StreamRow = NamedRow<StreamEntry>;
using TagRow = NamedRow<TaggedEvent>;

// Commits whose command has the digest: one, but for its parts in other partitions.
struct CommandRow {
  explicit CommandRow(const CommandDigest& of) : digest(of) {}
  std::size_t hash() const { return digest.hash(); }
  bool Is(const CommandDigest& of) const { return digest == of; }

  CommandDigest digest;
  absl::InlinedVector<CommandEntry, 1> entries;
};

// Threading: const calls at the same time; Add by one thread, without others.
class IndexGeneration {
 public:
  IndexGeneration() = default;
  // Makes room for as much as `like` holds: tables that grow move all their entries, and appends wait meanwhile.
  explicit IndexGeneration(const IndexGeneration& like);
  IndexGeneration& operator=(const IndexGeneration&) = delete;

  // Empty again, with the memory that it has: what comes and goes by many megabytes leaves holes between what stays.
  void Clear();

  // REQUIRES: the entry begins above the stream's last version.
  void AddStream(const EntryName& stream, const StreamEntry& entry);
  // In any order; an event that is there already is not added again. Returns the tag's last one.
  const TaggedEvent& AddTag(const EntryName& tag, const TaggedEvent& event);
  void AddCommand(const CommandDigest& digest, const CommandEntry& entry);
  void AddType(TypeEntry entry) { types_.push_back(std::move(entry)); }
  LatestEvents& latest() { return latest_; }
  const LatestEvents& latest() const { return latest_; }

  // Has the processor fetch what it takes to add them, for later.
  void Prefetch(const EntryName& stream) const { streams_.Prefetch(stream); }
  void Prefetch(const CommandDigest& command) const { commands_.Prefetch(command); }
  // The next step, once those have come: the place behind the stream's last entry.
  void PrefetchEntries(const EntryName& stream) const;

  std::optional<Version> VersionOf(const EntryName& stream) const;
  bool HasTag(const EntryName& tag) const { return tags_.Find(tag) != nullptr; }
  // As StoreIndex does; `out` is what older generations found.
  void AppendEntriesAfter(const EntryName& stream, Version after, std::size_t limit,
                          std::vector<StreamEntry>& out) const;
  void AppendTaggedAfter(const EntryName& tag, Sequence after, std::size_t limit, std::vector<TaggedEvent>& out) const;
  void AppendPlaces(const CommandDigest& digest, Day first_day, std::vector<CommitPlace>& out) const;

  // About how much memory is in use.
  std::size_t bytes() const;

  // For whoever writes them.
  const std::vector<StreamRow>& streams() const { return streams_.rows(); }
  const std::vector<TagRow>& tags() const { return tags_.rows(); }
  const std::vector<CommandRow>& commands() const { return commands_.rows(); }
  const std::vector<TypeEntry>& types() const { return types_; }

 private:
  // The row's entries, before one more is added to them. A new row's name is kept.
  template <class Row>
  auto& Extend(Row& row);

  KeptNames names_;
  std::size_t further_entries_ = 0;  // beyond the first of each row
  RowTable<StreamRow, EntryName> streams_;
  RowTable<TagRow, EntryName> tags_;
  RowTable<CommandRow, CommandDigest> commands_;
  std::vector<TypeEntry> types_;
  LatestEvents latest_;
};

}  // namespace everfold
