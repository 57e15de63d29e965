// How many events, and which: a count and a digest that does not depend on the order in which they were added, so that
// what a read model has taken in can be compared with what the log has.
//
// An event's digest is the 128-bit XXH3 of where it stands, what it is called and what it holds (event_tally.cc); that
// of several is the sum of their digests, modulo 2^64 in each half. It finds what goes wrong by itself: an event that
// was left out, taken twice, or was another one. Against forgery stands the log's chain.
#pragma once

#include <cstdint>
#include <string>

#include "everfold/event/recorded_event.h"

namespace everfold {

struct EventTally {
  std::uint64_t count = 0;
  std::uint64_t low = 0, high = 0;  // of the digest

  EventTally& operator+=(const EventTally& other) {
    count += other.count;
    low += other.low;
    high += other.high;
    return *this;
  }
  // REQUIRES: the other events are among these.
  EventTally& operator-=(const EventTally& other) {
    count -= other.count;
    low -= other.low;
    high -= other.high;
    return *this;
  }
  friend EventTally operator+(EventTally a, const EventTally& b) { return a += b; }
  friend bool operator==(const EventTally&, const EventTally&) = default;

  // The digest, 32 hex digits.
  std::string Hex() const;
};

// Of this one event.
EventTally TallyOf(const RecordedEvent& event);

}  // namespace everfold
