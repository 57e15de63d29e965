// The kinds of entries; each has a column family, and a sorted file a generation.
#pragma once

#include <array>
#include <cstddef>

namespace everfold {

enum class EntryKind { kCheckpoint, kStreams, kTags, kCommands, kTypes, kLatest };

inline constexpr std::array<EntryKind, 6> kEntryKinds = {EntryKind::kCheckpoint, EntryKind::kStreams,
                                                         EntryKind::kTags,       EntryKind::kCommands,
                                                         EntryKind::kTypes,      EntryKind::kLatest};

constexpr std::size_t IndexOf(EntryKind kind) { return static_cast<std::size_t>(kind); }
// Of the column family; RocksDB wants one of the name "default".
constexpr const char* NameOf(EntryKind kind) {
  constexpr std::array<const char*, kEntryKinds.size()> kNames = {"default",  "streams", "tags",
                                                                  "commands", "types",   "latest"};
  return kNames[IndexOf(kind)];
}

}  // namespace everfold
