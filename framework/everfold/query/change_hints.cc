#include "everfold/query/change_hints.h"

#include <utility>

#include "everfold/query/token_wait.h"

namespace everfold {

ChangeHints::ChangeHints(Projection& projection) : state_(std::make_shared<State>(projection)) {}

std::uint64_t ChangeHints::Add(Hint hint) {
  MutexLock lock(&state_->mutex);
  state_->hints.emplace(++state_->last_id, std::move(hint));
  if (!state_->wait.has_value() && !state_->closed) Wait(state_);
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

// For what comes from now on: who is told reads after it.
void ChangeHints::Wait(const std::shared_ptr<State>& state) {
  state->wait = state->projection.WaitForChange(
      [state, round = ++state->round](const absl::Status& status) { Changed(state, round, status); });
}

void ChangeHints::Cancel(State& state) {
  ++state.round;
  if (state.wait.has_value()) state.projection.CancelWait(*state.wait);
  state.wait.reset();
}

// A wait that was on its way when it was cancelled is of a round that is over.
void ChangeHints::Changed(const std::shared_ptr<State>& state, std::uint64_t round, const absl::Status& status) {
  MutexLock lock(&state->mutex);
  if (state->closed || round != state->round) return;
  state->wait.reset();
  if (status.ok()) Wait(state);
  const absl::Status told = status.ok() ? status : WithLag(status, state->projection);
  for (const auto& [id, hint] : state->hints) hint(told);
}

}  // namespace everfold
