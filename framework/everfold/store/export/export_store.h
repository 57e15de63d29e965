// A whole store as JSON Lines (everfold/v1/export.proto, docs/formats/export.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/store/event_store.h"

namespace everfold {

inline constexpr std::uint32_t kExportFormatVersion = 1;
// A line has at most so many bytes: a commit's payloads have 8 MiB at most, and then once more as base64.
inline constexpr std::size_t kMaxExportLineBytes = 64 << 20;
// Commits with larger payloads have no JSON of them: as text and in memory it may be many times as large, and nobody
// reads so much.
inline constexpr std::size_t kMaxBytesWithJson = 256 << 10;

struct ExportProgress {
  std::uint64_t events = 0;  // written
  std::uint64_t total = 0;   // that there are
};

struct ExportOptions {
  std::string application;  // is named in the file
  bool json = true;         // payloads once more, for people: about three times the work
  std::function<void(const ExportProgress&)> on_progress = nullptr;  // called every now and then
};

struct ExportCounts {
  std::uint64_t commits = 0;
  std::uint64_t events = 0;          // erased ones included
  std::uint64_t erased_commits = 0;  // a store cannot be made of an export that has some
};

// Gives every line, with its line break, to `write`, until that returns an error, which is then the result. What is
// durable now is exported; the store may be at work. Its memory does not grow with the store. Errors: DATA_LOSS for
// damage; those of the log. Blocks.
absl::StatusOr<ExportCounts> ExportStore(const EventStore& store, const ExportOptions& options,
                                         absl::FunctionRef<absl::Status(std::string_view line)> write);

}  // namespace everfold
