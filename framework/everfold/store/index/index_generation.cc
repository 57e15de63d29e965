#include "everfold/store/index/index_generation.h"

#include <algorithm>

namespace everfold {
namespace {

constexpr std::size_t kFurtherEntryBytes = 2 * std::max(sizeof(TaggedEvent), sizeof(CommandEntry));

// Those from `first` on; no more than there is room for.
template <class Entries, class Entry>
void Append(const Entries& entries, typename Entries::const_iterator first, std::size_t limit,
            std::vector<Entry>& out) {
  const auto count = std::min<std::size_t>(limit - out.size(), entries.end() - first);
  out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

IndexGeneration::IndexGeneration(const IndexGeneration& like) {
  streams_.Reserve(like.streams().size());
  tags_.Reserve(like.tags().size());
  commands_.Reserve(like.commands().size());
}

void IndexGeneration::Clear() {
  streams_.Clear();
  tags_.Clear();
  commands_.Clear();
  types_.clear();
  latest_.Clear();
  names_.Clear();
  further_entries_ = 0;
}

template <class Row>
auto& IndexGeneration::Extend(Row& row) {
  if (!row.entries.empty()) {
    ++further_entries_;
  } else if constexpr (requires { row.name; }) {
    row.name = names_.Keep(row.name);
  }
  return row.entries;
}

void IndexGeneration::PrefetchEntries(const EntryName& stream) const {
  const StreamRow* row = streams_.Find(stream);
  if (row != nullptr) __builtin_prefetch(row->entries.data() + row->entries.size());
}

void IndexGeneration::AddStream(const EntryName& stream, const StreamEntry& entry) {
  Extend(streams_.FindOrAdd(stream)).push_back(entry);
}

const TaggedEvent& IndexGeneration::AddTag(const EntryName& tag, const TaggedEvent& event) {
  auto& events = Extend(tags_.FindOrAdd(tag));
  // Chunks of a group come one partition after the other, so that sequences go back a little, but never far.
  auto place = events.end();
  while (place != events.begin() && IsBefore(event, *(place - 1))) --place;
  if (place == events.begin() || *(place - 1) != event) events.insert(place, event);
  return events.back();
}

void IndexGeneration::AddCommand(const CommandDigest& digest, const CommandEntry& entry) {
  Extend(commands_.FindOrAdd(digest)).push_back(entry);
}

std::optional<Version> IndexGeneration::VersionOf(const EntryName& stream) const {
  const StreamRow* row = streams_.Find(stream);
  if (row == nullptr) return std::nullopt;
  return row->entries.back().last_version();
}

void IndexGeneration::AppendEntriesAfter(const EntryName& stream, Version after, std::size_t limit,
                                         std::vector<StreamEntry>& out) const {
  const StreamRow* row = streams_.Find(stream);
  if (row == nullptr || out.size() >= limit) return;
  const Version behind = out.empty() ? after : std::max(after, out.back().last_version());
  const auto first = std::partition_point(row->entries.begin(), row->entries.end(), [behind](const StreamEntry& entry) {
    return entry.last_version() <= behind;
  });
  Append(row->entries, first, limit, out);
}

void IndexGeneration::AppendTaggedAfter(const EntryName& tag, Sequence after, std::size_t limit,
                                        std::vector<TaggedEvent>& out) const {
  const TagRow* row = tags_.Find(tag);
  if (row == nullptr || out.size() >= limit) return;
  const auto first = std::partition_point(row->entries.begin(), row->entries.end(), [&](const TaggedEvent& event) {
    return event.sequence <= after || (!out.empty() && !IsBefore(out.back(), event));
  });
  Append(row->entries, first, limit, out);
}

void IndexGeneration::AppendPlaces(const CommandDigest& digest, Day first_day, std::vector<CommitPlace>& out) const {
  const CommandRow* row = commands_.Find(digest);
  if (row == nullptr) return;
  for (const CommandEntry& entry : row->entries) {
    if (entry.day >= first_day && std::find(out.begin(), out.end(), entry.place) == out.end())
      out.push_back(entry.place);
  }
}

std::size_t IndexGeneration::bytes() const {
  return names_.bytes() + latest_.bytes() + streams_.bytes() + tags_.bytes() + commands_.bytes() +
         further_entries_ * kFurtherEntryBytes;
}

}  // namespace everfold
