#include "tests/linearizability/linearizable.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxTold = 5;

// The call that a bound comes from.
struct Source {
  enum class Kind { kAppend, kRead, kPull } kind = Kind::kAppend;
  std::size_t index = 0;
};

struct Bound {
  std::int64_t at = 0;
  Source source;
};

// An append, or its part in one stream, that takes effect at one instant.
struct Effect {
  std::size_t append = 0;
  Bound earliest{.at = 0, .source = {}};
  Bound latest{.at = kForever, .source = {}};
  std::vector<std::size_t> followers = {};
  std::size_t leaders = 0;  // not placed yet

  void NotBefore(std::int64_t at, Source source) {
    if (at > earliest.at) earliest = {at, source};
  }
  void NotAfter(std::int64_t at, Source source) {
    if (at < latest.at) latest = {at, source};
  }
};

class Schedule {
 public:
  Schedule(const History& history, const StreamChains& chains, Strictness strictness,
           std::vector<std::string>& violations)
      : history_(history), chains_(chains), violations_(violations), of_append_(history.appends.size(), kNone) {
    of_link_.resize(chains.streams().size());
    for (StreamNumber stream = 0; stream < of_link_.size(); ++stream) {
      for (const ChainLink& link : chains.streams()[stream]) {
        of_link_[stream].push_back(EffectOf(link.append, strictness));
      }
      const std::vector<std::size_t>& effects = of_link_[stream];
      for (std::size_t i = 1; i < effects.size(); ++i) Order(effects[i - 1], effects[i]);
    }
  }

  void AddStreamCalls() {
    for (std::size_t i = 0; i < history_.appends.size(); ++i) {
      const AppendCall& append = history_.appends[i];
      if (append.outcome == AppendOutcome::kConflict) AddConflict(i);
    }
    for (std::size_t i = 0; i < history_.reads.size(); ++i) AddRead(i);
  }

  // Effects follow each other by sequence; what a pull that caught up did not hand out came later than its start.
  void AddPulls() {
    const std::map<Sequence, std::size_t> effects = BySequence();
    for (auto it = effects.begin(), before = it; it != effects.end(); before = it++) {
      if (it != before) Order(before->second, it->second);
    }
    std::map<std::uint32_t, Sequence> reached;  // by subscriber
    for (std::size_t i = 0; i < history_.pulls.size(); ++i) {
      const PullCall& pull = history_.pulls[i];
      Sequence& last = reached[pull.subscriber];
      for (const DeliveredEvent& event : pull.events) {
        last = std::max(last, event.sequence);
        const auto seen = effects.find(event.sequence);
        if (seen != effects.end()) effects_[seen->second].NotAfter(pull.time.end, {Source::Kind::kPull, i});
      }
      const auto next = effects.upper_bound(last);
      if (pull.caught_up && next != effects.end()) {
        effects_[next->second].NotBefore(pull.time.start, {Source::Kind::kPull, i});
      }
    }
  }

  void Check() {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      if (effects_[i].leaders == 0) ready.push_back(i);
    }
    std::size_t placed = 0, failed = 0;
    for (; !ready.empty(); ++placed) {
      const std::size_t i = ready.back();
      ready.pop_back();
      if (effects_[i].earliest.at > effects_[i].latest.at && ++failed <= kMaxTold) Report(effects_[i]);
      for (const std::size_t follower : effects_[i].followers) {
        // The fault of this one would only be told again.
        effects_[follower].NotBefore(std::min(effects_[i].earliest.at, effects_[i].latest.at),
                                     effects_[i].earliest.source);
        if (--effects_[follower].leaders == 0) ready.push_back(follower);
      }
    }
    if (failed > kMaxTold) violations_.push_back(absl::StrFormat("and %d more", failed - kMaxTold));
    if (placed < effects_.size()) ReportCircle();
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t EffectOf(std::size_t append, Strictness strictness) {
    std::size_t& known = of_append_[append];
    if (known == kNone || strictness == Strictness::kEachStream) {
      known = effects_.size();
      effects_.push_back({.append = append});
      const Source source{Source::Kind::kAppend, append};
      effects_.back().earliest = {history_.appends[append].time.start, source};
      effects_.back().latest = {history_.appends[append].time.end, source};
    }
    return known;
  }

  void Order(std::size_t leader, std::size_t follower) {
    effects_[leader].followers.push_back(follower);
    ++effects_[follower].leaders;
  }

  void AddConflict(std::size_t i) {
    const AppendCall& append = history_.appends[i];
    const auto part =
        std::find_if(append.parts.begin(), append.parts.end(),
                     [&append](const AppendPart& part) { return part.stream == append.conflicting; });
    if (part == append.parts.end() || part->expected.value_or(append.actual) == append.actual) {
      violations_.push_back("there is no conflict: " + Describe(append));
      return;
    }
    AddVersionSeen(append.conflicting, append.actual, append.time, {Source::Kind::kAppend, i});
  }

  void AddRead(std::size_t i) {
    const ReadCall& read = history_.reads[i];
    const Source source{Source::Kind::kRead, i};
    if (!read.after.has_value()) return AddVersionSeen(read.stream, read.head, read.time, source);
    if (!read.events.empty() && read.to_end) {
      return AddVersionSeen(read.stream, read.events.back().version, read.time, source);
    }
    if (!read.events.empty()) {
      effects_[of_link_[read.stream][chains_.Find(read.stream, read.events.back().version)]].NotAfter(read.time.end,
                                                                                                      source);
    } else if (read.to_end) {
      AddNothingSeenAfter(read.stream, *read.after, read.time, source);
    }
  }

  // The stream was at this version at an instant within the call.
  void AddVersionSeen(StreamNumber stream, Version version, const CallTime& time, Source source) {
    const StreamChain& chain = chains_.streams()[stream];
    if (version > Version()) {
      const std::size_t link = chains_.Find(stream, version);
      if (link == chain.size() || chain[link].last != version) {
        violations_.push_back(
            absl::StrFormat("stream %d never was at version %d: %s", stream, version.value(), DescribeCall(source)));
        return;
      }
      effects_[of_link_[stream][link]].NotAfter(time.end, source);
    }
    AddNothingSeenAfter(stream, version, time, source);
  }

  void AddNothingSeenAfter(StreamNumber stream, Version version, const CallTime& time, Source source) {
    const std::size_t next = chains_.Find(stream, version.Next());
    if (next < of_link_[stream].size()) effects_[of_link_[stream][next]].NotBefore(time.start, source);
  }

  std::map<Sequence, std::size_t> BySequence() const {
    std::map<Sequence, std::size_t> effects;
    std::map<AppendNumber, Sequence> delivered;
    for (const PullCall& pull : history_.pulls) {
      for (const DeliveredEvent& event : pull.events) delivered.emplace(event.append, event.sequence);
    }
    for (std::size_t i = 0; i < of_append_.size(); ++i) {
      if (of_append_[i] == kNone) continue;
      const AppendCall& append = history_.appends[i];
      const auto known = delivered.find(append.number);
      const bool done = append.outcome == AppendOutcome::kDone;
      if (!done && known == delivered.end()) continue;
      effects.emplace(done ? append.sequence : known->second, of_append_[i]);
    }
    return effects;
  }

  std::string DescribeCall(Source source) const {
    switch (source.kind) {
      case Source::Kind::kAppend:
        return Describe(history_.appends[source.index]);
      case Source::Kind::kRead:
        return Describe(history_.reads[source.index]);
      case Source::Kind::kPull:
        return Describe(history_.pulls[source.index]);
    }
    return "";
  }

  void Report(const Effect& effect) {
    violations_.push_back(absl::StrFormat(
        "no instant is left for  %s\n  because of what began at %d without it, or was still to come before it:  %s\n"
        "  and of what ended at %d and saw it, or itself:  %s",
        Describe(history_.appends[effect.append]), effect.earliest.at, DescribeCall(effect.earliest.source),
        effect.latest.at, DescribeCall(effect.latest.source)));
  }

  void ReportCircle() {
    std::string text = "appends precede each other in a circle, among them:";
    std::size_t told = 0;
    for (const Effect& effect : effects_) {
      if (effect.leaders == 0 || ++told > kMaxTold) continue;
      absl::StrAppendFormat(&text, "\n  %s", Describe(history_.appends[effect.append]));
    }
    violations_.push_back(std::move(text));
  }

  const History& history_;
  const StreamChains& chains_;
  std::vector<std::string>& violations_;
  std::vector<Effect> effects_;
  std::vector<std::size_t> of_append_;              // the effect of an append
  std::vector<std::vector<std::size_t>> of_link_;   // of each stream's links
};

}  // namespace

void CheckLinearizable(const History& history, const StreamChains& chains, Strictness strictness,
                       std::vector<std::string>& violations) {
  Schedule schedule(history, chains, strictness, violations);
  schedule.AddStreamCalls();
  if (strictness == Strictness::kSequence) schedule.AddPulls();
  schedule.Check();
}

void CheckPullsLinearizable(const History& history, const StreamChains& chains, std::vector<std::string>& violations) {
  Schedule schedule(history, chains, Strictness::kSequence, violations);
  schedule.AddPulls();
  schedule.Check();
}

}  // namespace everfold
