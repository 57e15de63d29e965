#include "everfold/projection/progress.h"

#include <algorithm>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {

bool Reached(const std::vector<Position>& positions, const Checkpoint& checkpoint) {
  return std::all_of(positions.begin(), positions.end(), [&checkpoint](const Position& position) {
    EVERFOLD_CHECK(position.partition.value() < checkpoint.offsets.size());
    return checkpoint.offsets[position.partition.value()] >= position.offset;
  });
}

}  // namespace

Checkpoint Progress::committed() const {
  MutexLock lock(&mutex_);
  return committed_;
}

bool Progress::is_awaited() const {
  MutexLock lock(&mutex_);
  return waits_for_positions_ > 0;
}

absl::Status Progress::ended() const {
  MutexLock lock(&mutex_);
  return ended_;
}

bool Progress::WouldAnswer(const Checkpoint& checkpoint) const {
  MutexLock lock(&mutex_);
  return waits_for_positions_ > 0 && std::any_of(waits_.begin(), waits_.end(), [&checkpoint](const auto& wait) {
           return wait.second.positions.has_value() && Reached(*wait.second.positions, checkpoint);
         });
}

void Progress::Answer(Projection::WaitDone done, absl::Status status) {
  executor_.Post([done = std::move(done), status = std::move(status)]() mutable { done(std::move(status)); });
}

void Progress::Publish(const Checkpoint& committed) {
  MutexLock lock(&mutex_);
  committed_ = committed;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const std::optional<std::vector<Position>>& positions = wait->second.positions;
    if (positions.has_value() && !Reached(*positions, committed_)) {
      ++wait;
      continue;
    }
    if (positions.has_value()) --waits_for_positions_;
    Answer(std::move(wait->second.done), absl::OkStatus());
    wait = waits_.erase(wait);
  }
}

void Progress::End(const absl::Status& why) {
  MutexLock lock(&mutex_);
  if (!ended_.ok()) return;
  ended_ = why;
  for (auto& [id, wait] : waits_) Answer(std::move(wait.done), why);
  waits_.clear();
  waits_for_positions_ = 0;
}

void Progress::Resume() {
  MutexLock lock(&mutex_);
  if (!closed_) ended_ = absl::OkStatus();
}

void Progress::Close(const absl::Status& why) {
  End(why);
  MutexLock lock(&mutex_);
  closed_ = true;
}

std::uint64_t Progress::WaitFor(std::vector<Position> positions, Projection::WaitDone done) {
  MutexLock lock(&mutex_);
  if (!Reached(positions, committed_)) return Keep({std::move(positions), std::move(done)});
  Answer(std::move(done), absl::OkStatus());
  return ++last_id_;
}

std::uint64_t Progress::WaitForChange(Projection::WaitDone done) {
  MutexLock lock(&mutex_);
  return Keep({std::nullopt, std::move(done)});
}

std::uint64_t Progress::Keep(Wait wait) {
  const std::uint64_t id = ++last_id_;
  if (ended_.ok()) {
    if (wait.positions.has_value()) ++waits_for_positions_;
    waits_.emplace(id, std::move(wait));
  } else {
    Answer(std::move(wait.done), ended_);
  }
  return id;
}

void Progress::Cancel(std::uint64_t id) {
  Wait dropped;  // destroyed without the lock: what the callback owns may call back
  MutexLock lock(&mutex_);
  const auto found = waits_.find(id);
  if (found == waits_.end()) return;
  if (found->second.positions.has_value()) --waits_for_positions_;
  dropped = std::move(found->second);
  waits_.erase(found);
}

}  // namespace everfold
