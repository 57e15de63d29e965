// Callers that append events to a store, each commit to another stream chosen at random.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "everfold/store/event_store.h"
#include "tests/bench/append_target.h"
#include "tests/bench/payloads.h"
#include "tests/bench/streams.h"

namespace everfold::bench {

// The events are of one of so many types, chosen at random.
inline constexpr std::size_t kEventTypes = 20;
EventType EventTypeOf(std::size_t number);

struct StoreWork {
  std::size_t events_a_commit = 1;
  bool exact_versions = true;        // expect the version that is known; otherwise any
  bool command_ids = false;          // 16 random bytes in base64, with the fingerprint of a request
  std::size_t streams_a_commit = 1;  // with as many events each; of those behind the first any version is expected
  bool tags = false;                 // one an event: the stream's
  std::uint32_t streams = Streams::kStreams;  // among which each commit chooses one at random
  bool condition = false;                     // no event with the stream's tag behind what was durable at the time
};

class StoreTarget final : public AppendTarget {
 public:
  // Lifetime: all of them outlive it.
  StoreTarget(EventStore& store, Streams& streams, const Payloads& payloads, StoreWork work = {});

  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return work_.events_a_commit * work_.streams_a_commit; }
  // Appends that met another version than known, or an event that their condition excludes, and were made again.
  std::uint64_t conflicts() const { return conflicts_.load(); }

 private:
  struct Slot {
    Noise noise{0};
    std::uint32_t stream = 0;
    Caller* caller = nullptr;
  };

  void Start(Slot& slot);
  void Ended(Slot& slot, const absl::StatusOr<AppendResult>& result);
  AppendRequest RequestOf(Slot& slot) const;
  StreamAppend StreamOf(Slot& slot, std::uint32_t stream) const;
  NewEvent EventOf(Slot& slot) const;
  CommandId CommandOf(Slot& slot) const;

  EventStore& store_;
  Streams& streams_;
  const Payloads& payloads_;
  const StoreWork work_;
  std::vector<EventType> types_;
  std::vector<Slot> slots_;  // one a caller
  std::atomic<std::uint64_t> conflicts_{0};
};

}  // namespace everfold::bench
