// The commits of an export, appended to a new store.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/store/event_store.h"
#include "everfold/store/export/export_reader.h"

namespace everfold {

struct ImportProgress {
  std::uint64_t commits = 0;  // read
  std::uint64_t total = 0;    // that there are; 0 if the export does not say
};

// How far ahead of the clock a recorded time may be. Recorded times never step back: one far in the future would be
// that of everything that is recorded until then.
inline constexpr absl::Duration kMaxImportedAhead = absl::Hours(24);

struct ImportOptions {
  absl::Time now = absl::InfiniteFuture();  // by a right clock, at the beginning
  // Appends on their way at once, so that they share syncs. Below what a store lets wait (EventStoreOptions).
  std::size_t max_commits_on_the_way = 4096;
  std::size_t max_bytes_on_the_way = 16 << 20;                       // of their lines
  std::function<void(const ImportProgress&)> on_progress = nullptr;  // called every now and then
};

struct ImportCounts {
  std::uint64_t commits = 0;
  std::uint64_t events = 0;
};

// Reads all that is left of the export, and appends it: each commit gets the sequence, the recorded time and the
// versions that it had. Commands keep their ids, and lose the fingerprints of their requests, which depend on the
// store's key: a repeat is told by its id alone. An id that comes twice, because it had been forgotten in between, is
// recorded twice.
//
// After an error the store holds a beginning of the export, and is of no use.
//   INVALID_ARGUMENT  with the number of the line, and what is wrong with it; LIMIT_EXCEEDED, with limit and value, for
//                     a recorded time that is too far ahead
//   others            with the line's number, as EventStore::Append tells them
// REQUIRES: the store is empty and gets no other appends, and its clock is behind all recorded times:
// ManualClock(absl::InfinitePast()). Blocks: not from a task of the store's executor.
absl::StatusOr<ImportCounts> ImportCommits(ExportReader& reader, EventStore& store, const ImportOptions& options);

}  // namespace everfold
