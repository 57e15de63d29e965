// What the command side counts about itself, since it was made.
#pragma once

#include <atomic>
#include <cstdint>

namespace everfold {

struct CommandStats {
  std::uint64_t cached = 0;                // commands that found their stream's state in memory
  std::uint64_t loaded = 0;                // states that came from the store
  std::uint64_t loaded_from_snapshot = 0;  // of those, from a snapshot
  std::uint64_t events_folded = 0;         // for them
  std::uint64_t snapshots_unreadable = 0;  // could not be read: the state was folded from the first event
  std::uint64_t snapshots_checked = 0;     // by folding from the first event
  std::uint64_t snapshots_wrong = 0;       // of those: dropped
  std::uint64_t decided_again = 0;         // because what they stood on was not made, or somebody else appended
  std::uint64_t slow_decisions = 0;        // longer than CommandHandlerOptions::slow_decision
  std::uint64_t overloaded = 0;            // refused, for want of room
};

// The same, being counted. Threading: thread-safe.
struct CommandCounters {
  using Counter = std::atomic<std::uint64_t>;
  Counter cached = 0;
  Counter loaded = 0;
  Counter loaded_from_snapshot = 0;
  Counter events_folded = 0;
  Counter snapshots_unreadable = 0;
  Counter snapshots_checked = 0;
  Counter snapshots_wrong = 0;
  Counter decided_again = 0;
  Counter slow_decisions = 0;
  Counter overloaded = 0;

  static void Add(Counter& counter, std::uint64_t count = 1) { counter.fetch_add(count, std::memory_order_relaxed); }
  CommandStats Read() const {
    const auto read = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
    return {.cached = read(cached),
            .loaded = read(loaded),
            .loaded_from_snapshot = read(loaded_from_snapshot),
            .events_folded = read(events_folded),
            .snapshots_unreadable = read(snapshots_unreadable),
            .snapshots_checked = read(snapshots_checked),
            .snapshots_wrong = read(snapshots_wrong),
            .decided_again = read(decided_again),
            .slow_decisions = read(slow_decisions),
            .overloaded = read(overloaded)};
  }
};

}  // namespace everfold
