#include "tests/linearizability/every_order.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {

// The append that made each version, by stream.
using State = std::map<StreamNumber, std::vector<AppendNumber>>;

class Search {
 public:
  explicit Search(const History& history) : history_(history) {
    for (const AppendCall& append : history.appends) times_.push_back(append.time);
    for (const ReadCall& read : history.reads) times_.push_back(read.time);
    EVERFOLD_CHECK(times_.size() <= 64);
  }

  bool From(std::uint64_t done, State& state) {
    if (done == Bit(times_.size()) - 1) return true;
    if (!tried_.insert({done, state}).second) return false;
    for (std::size_t i = 0; i < times_.size(); ++i) {
      if ((done & Bit(i)) != 0) continue;
      if (MayBeNothing(i) && From(done | Bit(i), state)) return true;
      if (!MayBeNext(i, done)) continue;
      State after = state;
      if (Apply(i, after) && From(done | Bit(i), after)) return true;
    }
    return false;
  }

 private:
  static std::uint64_t Bit(std::size_t i) { return i == 64 ? 0 : std::uint64_t{1} << i; }

  bool MayBeNothing(std::size_t i) const {
    if (i >= history_.appends.size()) return false;
    const AppendOutcome outcome = history_.appends[i].outcome;
    return outcome == AppendOutcome::kUnknown || outcome == AppendOutcome::kRefused;
  }

  bool MayBeNext(std::size_t i, std::uint64_t done) const {
    for (std::size_t other = 0; other < times_.size(); ++other) {
      if ((done & Bit(other)) == 0 && times_[other].end < times_[i].start) return false;
    }
    return true;
  }

  // False if its result cannot be, in this state.
  bool Apply(std::size_t i, State& state) const {
    if (i >= history_.appends.size()) return Holds(history_.reads[i - history_.appends.size()], state);
    const AppendCall& append = history_.appends[i];
    switch (append.outcome) {
      case AppendOutcome::kConflict:
        return Holds(append, state);
      case AppendOutcome::kRefused:
        return false;
      case AppendOutcome::kDone:
      case AppendOutcome::kUnknown:
        break;
    }
    return std::all_of(append.parts.begin(), append.parts.end(), [&](const AppendPart& part) {
      std::vector<AppendNumber>& events = state[part.stream];
      if (part.expected.value_or(Version(events.size())) != Version(events.size())) return false;
      events.insert(events.end(), part.events, append.number);
      return append.outcome == AppendOutcome::kUnknown || part.version == Version(events.size());
    });
  }

  static bool Holds(const AppendCall& conflict, State& state) {
    const Version version(state[conflict.conflicting].size());
    return version == conflict.actual &&
           std::any_of(conflict.parts.begin(), conflict.parts.end(), [&](const AppendPart& part) {
             return part.stream == conflict.conflicting && part.expected.value_or(version) != version;
           });
  }

  static bool Holds(const ReadCall& read, State& state) {
    const std::vector<AppendNumber>& events = state[read.stream];
    if (!read.after.has_value()) return read.head == Version(events.size());
    std::uint64_t version = read.after->value();
    for (const ReadEvent& event : read.events) {
      if (event.version.value() != ++version || version > events.size() || events[version - 1] != event.append) {
        return false;
      }
    }
    return !read.to_end || version >= events.size();
  }

  const History& history_;
  std::vector<CallTime> times_;
  std::set<std::pair<std::uint64_t, State>> tried_;
};

}  // namespace

bool IsLinearizableInSomeOrder(const History& history) {
  State state;
  return Search(history).From(0, state);
}

}  // namespace everfold
