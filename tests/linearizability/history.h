// What the callers of a store did, when, and what they were told: appends, reads and pulls of subscriptions. It is kept
// outside of the store, over all lives of its process.
//
// Times are nanoseconds of the machine's monotonic clock, the same in every process. A call takes effect at one instant
// from its start to its end. Two calls of which one ends when the other starts are concurrent.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "everfold/event/position.h"

namespace everfold {

using StreamNumber = std::uint32_t;
using AppendNumber = std::uint64_t;

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

struct CallTime {
  std::int64_t start = 0;
  std::int64_t end = kForever;
};

// What an append adds to one stream.
struct AppendPart {
  StreamNumber stream = 0;
  std::optional<Version> expected = {};  // nullopt: any
  std::uint64_t events = 1;
  Version version = {};  // that the stream then had, if it was told
};

enum class AppendOutcome {
  kUnknown,   // it takes effect before its end, the death of its process, or never
  kDone,      // each part has its version
  kConflict,  // nothing was changed: a stream was at another version than expected
  kRefused,   // nothing was changed, for another reason
};

struct AppendCall {
  AppendNumber number = 0;  // its events carry it
  CallTime time = {};
  std::vector<AppendPart> parts = {};  // of distinct streams
  AppendOutcome outcome = AppendOutcome::kUnknown;
  Sequence sequence = {};              // if done
  StreamNumber conflicting = 0;   // the stream, and what it was told to be at
  Version actual = {};
};

struct ReadEvent {
  Version version = {};
  AppendNumber append = 0;  // that its payload names
};

// Of a stream's version alone, or of events after a version.
struct ReadCall {
  CallTime time = {};
  StreamNumber stream = 0;
  std::optional<Version> after = {};  // nullopt: of the version alone, which is `head`
  std::vector<ReadEvent> events = {};
  bool to_end = true;  // no further event was there
  Version head = {};
};

struct DeliveredEvent {
  Sequence sequence = {};
  Position position = {};
  StreamNumber stream = 0;
  Version version = {};
  AppendNumber append = 0;
};

struct PullCall {
  CallTime time = {};
  std::uint32_t subscriber = 0;
  bool caught_up = false;  // no further event was there
  std::vector<DeliveredEvent> events = {};
};

struct History {
  std::vector<AppendCall> appends = {};
  std::vector<ReadCall> reads = {};
  std::vector<PullCall> pulls = {};  // of each subscriber in their order
};

// "append 17 [100, 250]: jar 2 at 5 +1, jar 3 at any +2: versions 6, 9, commit 12". Times are in nanoseconds.
std::string Describe(const AppendCall& append);
std::string Describe(const ReadCall& read);
std::string Describe(const PullCall& pull);
std::string Describe(const DeliveredEvent& event);

}  // namespace everfold
