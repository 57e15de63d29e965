// What a reactor has taken from the log and not done yet, by key: whose turn it is, who waits for another try, and who
// for an operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/reaction/key_events.h"
#include "everfold/reaction/reactor_place.h"
#include "everfold/reaction/taken_event.h"

namespace everfold {

struct QueuedKey {
  enum class State : std::uint8_t {
    kReady,     // its turn comes
    kRunning,   // it is worked on
    kWaiting,   // for another try
    kParked,    // for an operator
    kSearched,  // for its next event, which is looked for in the log
  };
  State state = State::kReady;
  EventPlace at;                           // the first event that is not done
  bool passed = false;                     // rather the last one that is
  std::deque<TakenEvent> events = {};      // the next ones
  bool behind = false;                     // there may be more behind these, in the log
  std::unique_ptr<KeyEvents> reader = {};  // of those
  bool searching = false;                  // it has looked at events, and found none of the key yet
  bool searched = false;                   // a search for all keys (key_search.h) adds its events
  std::uint32_t attempts = 0;              // at the first one, in vain
  std::string error = {};
  absl::Time next_attempt = absl::InfinitePast();
};

// Bounded by its users: they add no event while it holds many. Threading: strand-bound.
class KeyQueue {
 public:
  // Beyond so many, the events of a key are left in the log, so that one busy key does not stand in the way of others.
  static constexpr std::size_t kMaxEventsOfKey = 32;
  // A search looks at no more events than about so many, which takes a second or two.
  static constexpr std::uint64_t kLongestSearch = 1'000'000;

  void Clear();
  // Keys of an earlier run; all their events are in the log.
  void Load(const std::vector<ReactorKey>& keys);
  // What is ready and holds no event is searched for from now on, up to `taken`. Not keys that could not be told: those
  // are of one stream, which they read; nor one that is so far behind that others would wait for it: it reads by
  // itself. Returns the first sequence from which on, nullopt if there are none.
  std::optional<Sequence> BeginSearch(const Checkpoint& taken);
  // The next event that the search has met, of whatever key.
  void Found(const std::string& key, const RecordedEvent& event);
  // It has come to the end: of the keys that it has searched there is no more.
  void EndSearch();

  // All, in the order of the key.
  std::vector<ReactorKey> Describe() const;

  // The next event of the log.
  void Add(const std::string& key, const RecordedEvent& event);

  // The key whose turn it is, which is then worked on, until one of the calls below.
  std::optional<std::string> TakeReady();
  // REQUIRES, here and below: the key is there.
  QueuedKey& At(const std::string& key) { return keys_.at(key); }
  const QueuedKey* Find(const std::string& key) const;

  // Gives it a reader. If there are `most` already, the key that has had its own for longest reads anew when its turn
  // comes; one that is searching keeps it, or it would never come to an end. False if all are.
  bool AddReader(const std::string& key, std::unique_ptr<KeyEvents> reader, std::size_t most);
  // Its events were read from the log: it had none before.
  void Added(const QueuedKey& queued);
  // Its turn comes again.
  void PutBack(const std::string& key);
  // The same, and its events are read from the log again.
  void ReadAgain(const std::string& key);
  // There is no more of it.
  void Remove(const std::string& key);
  // Its first event is done.
  void Done(const std::string& key);
  // Its first event is tried again at `when`, or when an operator says so.
  void Wait(const std::string& key, std::string error, absl::Time when);
  void Park(const std::string& key, std::string error);
  // The same, without its first event at hand.
  void ParkUnread(const std::string& key, std::string error);

  // REQUIRES: it waits or is parked. Its first event is tried as if it were for the first time.
  void Retry(const std::string& key);
  // REQUIRES: it waits or is parked. Its first event is left out.
  void Drop(const std::string& key);
  // Those that wait no longer than until `now` become ready.
  void MakeReady(absl::Time now);
  // InfiniteFuture if none waits.
  absl::Time NextAttempt() const;

  std::size_t held_events() const { return held_; }       // in memory
  std::size_t held_bytes() const { return held_bytes_; }  // of their payloads
  std::size_t readers() const { return readers_.size(); }
  std::size_t keys() const { return keys_.size(); }
  std::size_t waiting_keys() const { return due_.size(); }
  std::size_t parked_keys() const { return parked_; }
  bool has_ready() const { return !ready_.empty(); }

 private:
  static ReactorKey Describe(const std::string& key, const QueuedKey& queued);
  void Forget(const std::string& key);
  void Hold(QueuedKey& queued, const RecordedEvent& event);
  void LeaveSearch(const std::string& key);
  void Fail(const std::string& key, std::string error);
  void Free(const std::string& key);

  std::map<std::string, QueuedKey> keys_;
  std::deque<std::string> ready_;
  std::deque<std::string> readers_;  // keys that have one, from the oldest on
  std::set<std::pair<absl::Time, std::string>> due_;
  std::size_t parked_ = 0;
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace everfold
