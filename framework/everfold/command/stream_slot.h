// What a lane knows of one stream: its state, and its commands.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "everfold/command/routed_command.h"
#include "everfold/command/state_loader.h"
#include "everfold/event/stream_id.h"
#include "everfold/store/append_chain.h"

namespace everfold {

// The commands of one stream, while it has some. Each goes from `waiting` to `decided`, in order, and leaves it in
// order: what was decided on a state that is not durable is told to nobody before it is.
struct StreamWork {
  std::deque<RoutedCommandPtr> waiting;  // for their decision
  std::deque<RoutedCommandPtr> decided;  // on the state that those before them leave; the first one's is durable
  // One in `decided` was not made: those behind it leave for here, and wait again when all have left.
  std::vector<RoutedCommandPtr> again;
  bool broken = false;
  // Of the appends in `decided`; a new one after `broken`.
  std::shared_ptr<AppendChain> chain;
  std::uint64_t appends = 0;  // in the chain

  bool idle() const { return waiting.empty() && decided.empty() && again.empty(); }
};

struct StreamSlot {
  StreamId stream;
  // With everything that `decided` adds.
  AggregateState state;
  std::unique_ptr<StreamWork> work;  // nullptr: it has no commands, and may be forgotten
  bool is_loading = false;
  bool is_ready = false;  // among those that the lane looks at next

  // Of the table.
  std::size_t bytes = 0;             // of the state, and its own, when they were measured last; 0: never
  std::size_t measured = 0;          // of the state, in memory,
  std::size_t measured_encoded = 0;  // when it was so large on the wire
  std::list<StreamSlot*>::iterator idle_place;
};

}  // namespace everfold
