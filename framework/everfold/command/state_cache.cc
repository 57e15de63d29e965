#include "everfold/command/state_cache.h"

#include <utility>

namespace everfold {

std::optional<AggregateState> StateCache::Take(const StreamId& stream) {
  const auto found = by_stream_.find(stream);
  if (found == by_stream_.end()) return std::nullopt;
  AggregateState state = std::move(found->second->state);
  Remove(found->second);
  return state;
}

void StateCache::Put(const StreamId& stream, AggregateState state) {
  if (const auto found = by_stream_.find(stream); found != by_stream_.end()) Remove(found->second);
  const std::size_t bytes = sizeof(Entry) + stream.aggregate.size() + stream.id.size() + stream.tenant.size() +
                            state.message->SpaceUsedLong();
  entries_.push_front({stream, std::move(state), bytes});
  by_stream_.emplace(stream, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > max_bytes_) Remove(std::prev(entries_.end()));
}

void StateCache::Remove(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_stream_.erase(entry->stream);
  entries_.erase(entry);
}

}  // namespace everfold
