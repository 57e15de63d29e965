#include "everfold/query/change_hints.h"

#include <utility>

namespace everfold {

ChangeHints::ChangeHints(Projection& projection) : state_(std::make_shared<State>(projection)) {}

std::uint64_t ChangeHints::Add(Hint hint) {
  MutexLock lock(&state_->mutex);
  state_->hints.emplace(++state_->last_id, std::move(hint));
  if (state_->waits.empty() && !state_->closed) Wait(state_);
  return state_->last_id;
}

void ChangeHints::Remove(std::uint64_t id) {
  MutexLock lock(&state_->mutex);
  state_->hints.erase(id);
  if (state_->hints.empty() && !state_->closed) Cancel(*state_);
}

std::size_t ChangeHints::size() const {
  MutexLock lock(&state_->mutex);
  return state_->hints.size();
}

void ChangeHints::Close() {
  MutexLock lock(&state_->mutex);
  if (!state_->closed) Cancel(*state_);
  state_->closed = true;
}

// The next event of any partition. One that was committed since the checkpoint was taken ends its wait at once.
void ChangeHints::Wait(const std::shared_ptr<State>& state) {
  const std::uint64_t round = ++state->round;
  const Checkpoint committed = state->projection.checkpoint();
  for (std::size_t i = 0; i < committed.offsets.size(); ++i) {
    const Position next{PartitionId(static_cast<std::uint32_t>(i)), committed.offsets[i].Next()};
    state->waits.push_back(state->projection.WaitFor(
        {next}, [state, round](const absl::Status& status) { Committed(state, round, status); }));
  }
}

void ChangeHints::Cancel(State& state) {
  ++state.round;
  for (const std::uint64_t wait : state.waits) state.projection.CancelWait(wait);
  state.waits.clear();
}

// The first wait of a round that ends; the others are dropped, and one that was on its way is of a round that is over.
void ChangeHints::Committed(const std::shared_ptr<State>& state, std::uint64_t round, const absl::Status& status) {
  MutexLock lock(&state->mutex);
  if (state->closed || round != state->round) return;
  Cancel(*state);
  if (status.ok()) Wait(state);
  for (const auto& [id, hint] : state->hints) hint(status);
}

}  // namespace everfold
