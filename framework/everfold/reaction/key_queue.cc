#include "everfold/reaction/key_queue.h"

#include <algorithm>

#include "everfold/base/check.h"
#include "everfold/reaction/event_reaction.h"

namespace everfold {

using State = QueuedKey::State;

void KeyQueue::Clear() {
  keys_.clear();
  ready_.clear();
  readers_.clear();
  due_.clear();
  parked_ = 0;
  held_ = 0;
  held_bytes_ = 0;
}

void KeyQueue::Load(const std::vector<ReactorKey>& keys) {
  Clear();
  std::vector<const ReactorKey*> ready;
  for (const ReactorKey& key : keys) {
    QueuedKey& queued = keys_[key.key];
    queued.at = key.at;
    queued.passed = key.passed;
    queued.behind = true;
    queued.attempts = key.attempts;
    queued.error = key.error;
    queued.next_attempt = key.next_attempt;
    if (key.parked) {
      queued.state = State::kParked;
      ++parked_;
    } else if (key.next_attempt > absl::InfinitePast()) {
      queued.state = State::kWaiting;
      due_.emplace(key.next_attempt, key.key);
    } else {
      ready.push_back(&key);
    }
  }
  std::sort(ready.begin(), ready.end(),
            [](const ReactorKey* a, const ReactorKey* b) { return ComesBefore(a->at, b->at); });
  for (const ReactorKey* const key : ready) ready_.push_back(key->key);
}

std::optional<Sequence> KeyQueue::BeginSearch(const Checkpoint& taken) {
  const auto is_far = [&taken](const Position& at) {
    const std::uint64_t behind = taken.offsets[at.partition.value()].value() - at.offset.value();
    return behind > kLongestSearch / taken.offsets.size();
  };
  std::optional<Sequence> first;
  std::deque<std::string> ready;
  for (std::string& key : ready_) {
    QueuedKey& queued = keys_.at(key);
    const bool reads_itself = queued.reader != nullptr || key == UntoldKeyOf(queued.at.stream);
    if (reads_itself || !queued.events.empty() || is_far(queued.at.position)) {
      ready.push_back(std::move(key));
      continue;
    }
    queued.searched = true;
    queued.state = State::kSearched;
    first = std::min(first.value_or(queued.at.sequence), queued.at.sequence);
  }
  ready_ = std::move(ready);
  return first;
}

// A key that should begin with another event says so when it is read by itself, as one that has more than it may hold
// reads on.
void KeyQueue::Found(const std::string& key, const RecordedEvent& event) {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.searched) return;
  QueuedKey& queued = found->second;
  if (queued.events.empty()) {
    const EventPlace place = PlaceOf(event);
    if (queued.passed ? !ComesBefore(queued.at, place) : ComesBefore(place, queued.at)) return;
    if (!queued.passed && place != queued.at) return LeaveSearch(key);
  }
  if (queued.events.size() >= kMaxEventsOfKey) return LeaveSearch(key);
  Hold(queued, event);
  if (queued.state == State::kSearched) PutBack(key);
}

void KeyQueue::LeaveSearch(const std::string& key) {
  QueuedKey& queued = keys_.at(key);
  queued.searched = false;
  if (queued.state == State::kSearched) PutBack(key);
}

void KeyQueue::EndSearch() {
  std::vector<std::string> searched;
  for (const auto& [key, queued] : keys_) {
    if (queued.searched) searched.push_back(key);
  }
  for (const std::string& key : searched) {
    QueuedKey& queued = keys_.at(key);
    const bool has_none = queued.state == State::kSearched;
    if (has_none && queued.passed) {
      Remove(key);
      continue;
    }
    queued.behind = has_none;
    LeaveSearch(key);
  }
}

// The first event by its own name where that is known: so it is asked for, and missed.
ReactorKey KeyQueue::Describe(const std::string& key, const QueuedKey& queued) {
  const bool is_known = !queued.events.empty();
  return {.key = key,
          .at = is_known ? queued.events.front().place : queued.at,
          .passed = queued.passed && !is_known,
          .attempts = queued.attempts,
          .error = queued.error,
          .next_attempt = queued.next_attempt,
          .parked = queued.state == State::kParked};
}

std::vector<ReactorKey> KeyQueue::Describe() const {
  std::vector<ReactorKey> keys;
  for (const auto& [key, queued] : keys_) keys.push_back(Describe(key, queued));
  return keys;
}

const QueuedKey* KeyQueue::Find(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

void KeyQueue::Add(const std::string& key, const RecordedEvent& event) {
  const auto [found, is_new] = keys_.try_emplace(key);
  QueuedKey& queued = found->second;
  if (is_new) {
    queued.at = PlaceOf(event);
    ready_.push_back(key);
  }
  queued.behind = queued.behind || queued.events.size() >= kMaxEventsOfKey;
  if (!queued.behind) Hold(queued, event);
}

void KeyQueue::Hold(QueuedKey& queued, const RecordedEvent& event) {
  queued.events.push_back(Take(event));
  ++held_;
  held_bytes_ += queued.events.back().payload.size();
}

void KeyQueue::Added(const QueuedKey& queued) {
  held_ += queued.events.size();
  for (const TakenEvent& event : queued.events) held_bytes_ += event.payload.size();
}

std::optional<std::string> KeyQueue::TakeReady() {
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  keys_.at(key).state = State::kRunning;
  return key;
}

void KeyQueue::PutBack(const std::string& key) {
  keys_.at(key).state = State::kReady;
  ready_.push_back(key);
}

// Its events are read from the log again when they are needed.
void KeyQueue::Forget(const std::string& key) {
  QueuedKey& queued = keys_.at(key);
  held_ -= queued.events.size();
  for (const TakenEvent& event : queued.events) held_bytes_ -= event.payload.size();
  queued.events.clear();
  queued.reader.reset();
  queued.searching = false;
  queued.searched = false;
  queued.behind = true;
  std::erase(readers_, key);
}

bool KeyQueue::AddReader(const std::string& key, std::unique_ptr<KeyEvents> reader, std::size_t most) {
  if (readers_.size() >= most) {
    const auto other = std::find_if(readers_.begin(), readers_.end(),
                                    [this](const std::string& holder) { return !keys_.at(holder).searching; });
    if (other == readers_.end()) return false;
    keys_.at(*other).reader.reset();
    readers_.erase(other);
  }
  keys_.at(key).reader = std::move(reader);
  readers_.push_back(key);
  return true;
}

void KeyQueue::ReadAgain(const std::string& key) {
  Forget(key);
  PutBack(key);
}

void KeyQueue::Remove(const std::string& key) {
  Forget(key);
  keys_.erase(key);
}

void KeyQueue::Done(const std::string& key) {
  QueuedKey& queued = keys_.at(key);
  EVERFOLD_CHECK(queued.state == State::kRunning && !queued.events.empty());
  queued.at = std::move(queued.events.front().place);
  queued.passed = true;
  held_bytes_ -= queued.events.front().payload.size();
  queued.events.pop_front();
  --held_;
  queued.attempts = 0;
  queued.error.clear();
  queued.next_attempt = absl::InfinitePast();
  if (queued.events.empty() && queued.searched) {
    queued.state = State::kSearched;
  } else if (queued.events.empty() && !queued.behind) {
    Remove(key);
  } else {
    PutBack(key);
  }
}

void KeyQueue::Fail(const std::string& key, std::string error) {
  QueuedKey& queued = keys_.at(key);
  EVERFOLD_CHECK(queued.state == State::kRunning && !queued.events.empty());
  queued.at = queued.events.front().place;
  queued.passed = false;
  ++queued.attempts;
  queued.error = std::move(error);
  Forget(key);
}

void KeyQueue::Wait(const std::string& key, std::string error, absl::Time when) {
  Fail(key, std::move(error));
  QueuedKey& queued = keys_.at(key);
  queued.state = State::kWaiting;
  queued.next_attempt = when;
  due_.emplace(when, key);
}

void KeyQueue::Park(const std::string& key, std::string error) {
  Fail(key, std::move(error));
  QueuedKey& queued = keys_.at(key);
  queued.state = State::kParked;
  queued.next_attempt = absl::InfinitePast();
  ++parked_;
}

void KeyQueue::ParkUnread(const std::string& key, std::string error) {
  QueuedKey& queued = keys_.at(key);
  EVERFOLD_CHECK(queued.state == State::kRunning && queued.events.empty());
  Forget(key);
  queued.error = std::move(error);
  queued.state = State::kParked;
  queued.next_attempt = absl::InfinitePast();
  ++parked_;
}

// It waits no more.
void KeyQueue::Free(const std::string& key) {
  QueuedKey& queued = keys_.at(key);
  EVERFOLD_CHECK(queued.state == State::kWaiting || queued.state == State::kParked);
  if (queued.state == State::kParked) --parked_;
  if (queued.state == State::kWaiting) due_.erase({queued.next_attempt, key});
  queued.next_attempt = absl::InfinitePast();
  PutBack(key);
}

void KeyQueue::Retry(const std::string& key) {
  Free(key);
  keys_.at(key).attempts = 0;
}

void KeyQueue::Drop(const std::string& key) {
  Free(key);
  QueuedKey& queued = keys_.at(key);
  queued.attempts = 0;
  queued.error.clear();
  queued.passed = true;
}

void KeyQueue::MakeReady(absl::Time now) {
  while (!due_.empty() && due_.begin()->first <= now) Free(std::string(due_.begin()->second));
}

absl::Time KeyQueue::NextAttempt() const { return due_.empty() ? absl::InfiniteFuture() : due_.begin()->first; }

}  // namespace everfold
