// A log of a hundred million events: memory while it grows, its files, and how long it takes to open.
#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::uint64_t kSamples = 100;  // of memory

// Megabytes, one a sample.
using Memory = std::vector<double>;

absl::StatusOr<Memory> AppendAndSample(Run& run, Arena& arena) {
  StoreTarget target(arena.store().store(), arena.streams(), run.payloads);
  const std::uint64_t step = std::max<std::uint64_t>(run.options.long_events / kSamples, 1);
  Memory memory;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult result, RunClosedLoop(target, {.callers = 256, .max_events = step}));
    memory.push_back(static_cast<double>(ResidentBytes()) / 1e6);
    if (i % 10 == 9) {
      Progress(absl::StrFormat("long: %d events, %s events/s, %s MB", (i + 1) * step,
                               ShowNumber(result.events_a_second()), ShowNumber(memory.back())));
    }
  }
  return memory;
}

double MedianBetween(const Memory& memory, std::size_t begin, std::size_t end) {
  return MedianOf(
      Memory(memory.begin() + static_cast<std::ptrdiff_t>(begin), memory.begin() + static_cast<std::ptrdiff_t>(end)));
}

// From the fourth tenth, when the caches and head tables of the default options are full, to the end.
void AddMemory(Figures& figures, const Memory& memory) {
  const std::size_t tenth = memory.size() / 10;
  const double early = MedianBetween(memory, tenth, 2 * tenth);
  const double full = MedianBetween(memory, 3 * tenth, 4 * tenth);
  const double late = MedianBetween(memory, 9 * tenth, memory.size());
  figures.Add({.name = "long, most memory",
               .value = *std::max_element(memory.begin(), memory.end()),
               .unit = "MB",
               .goal = ValueAtMost(1000)});
  figures.Add({.name = "long, memory in the second tenth, while caches fill", .value = early, .unit = "MB"});
  figures.Add({.name = "long, memory in the last tenth against the fourth",
               .value = late,
               .unit = "MB",
               .ceiling = full,
               .goal = RatioAtMost(1.1)});
}

absl::Status AddFilesAndOpening(Run& run, Arena& arena) {
  EVERFOLD_RETURN_IF_ERROR(arena.store().SealAll());
  WaitUntilQuiet();
  const double events = static_cast<double>(arena.store().CountEvents());
  EVERFOLD_RETURN_IF_ERROR(arena.Reopen(1));
  const double seconds = absl::ToDoubleSeconds(arena.store().log_opened_in() + arena.store().store_opened_in());
  WaitUntilQuiet();
  EVERFOLD_RETURN_IF_ERROR(arena.Close());
  const DirectorySize sealed = SizeOf(LogDirectory(arena.store_directory()) + "/sealed");
  const DirectorySize index = SizeOf(IndexDirectory(arena.store_directory()));
  const double bytes = static_cast<double>(sealed.bytes + index.bytes);
  run.figures.Add({.name = "long, open", .value = seconds, .unit = "s", .goal = ValueAtMost(1)});
  run.figures.Add({.name = "long, sealed files", .value = static_cast<double>(sealed.files), .unit = "files"});
  run.figures.Add({.name = "long, index files", .value = static_cast<double>(index.files), .unit = "files"});
  run.figures.Add({.name = "long, disk", .value = bytes / events, .unit = "B/event"});
  run.figures.Remark(absl::StrFormat("%s events, %s GB; a terabyte would be %s events in %s files", ShowNumber(events),
                                     ShowNumber(bytes / 1e9), ShowNumber(events * 1e12 / bytes),
                                     ShowNumber(static_cast<double>(sealed.files + index.files) * 1e12 / bytes)));
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchLong(Run& run) {
  run.figures.Section("a long log");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, "long"));
  EVERFOLD_ASSIGN_OR_RETURN(const Memory memory, AppendAndSample(run, *arena));
  AddMemory(run.figures, memory);
  return AddFilesAndOpening(run, *arena);
}

}  // namespace everfold::bench
