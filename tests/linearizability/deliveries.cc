#include "tests/linearizability/deliveries.h"

#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"

namespace everfold {
namespace {

using Place = std::tuple<Sequence, Position>;

class Subscriber {
 public:
  // "" if the event follows on those before.
  std::string Follow(const DeliveredEvent& event) {
    const Place place{event.sequence, event.position};
    Offset& last = offsets_[event.position.partition];
    std::string wrong;
    if (events_ > 0 && place <= last_) {
      wrong = event.position.offset <= last ? "is handed out again" : "comes too late";
    } else if (event.position.offset != last.Next()) {
      wrong = absl::StrFormat("follows on offset %d of its partition", last.value());
    }
    last_ = place;
    last = event.position.offset;
    ++events_;
    return wrong;
  }
  std::uint64_t events() const { return events_; }

 private:
  Place last_;
  std::map<PartitionId, Offset> offsets_;
  std::uint64_t events_ = 0;
};

class DeliveryCheck {
 public:
  DeliveryCheck(const History& history, const StreamChains& chains) : history_(history), chains_(chains) {}

  std::string Check(const DeliveredEvent& event) {
    if (std::string wrong = subscriber_->Follow(event); !wrong.empty()) return wrong;
    if (event.stream >= chains_.streams().size()) return "is of a stream that nobody knows";
    const std::size_t link = chains_.Find(event.stream, event.version);
    if (link == chains_.streams()[event.stream].size()) return "is not in its stream";
    const AppendCall& append = history_.appends[chains_.streams()[event.stream][link].append];
    if (append.number != event.append) return "is another one in its stream, of " + Describe(append);
    const bool other = append.outcome == AppendOutcome::kDone && append.sequence != event.sequence;
    if (other) return "is of another commit, by " + Describe(append);
    const Place place{event.sequence, event.position};
    const auto [known, is_new] = places_.try_emplace({event.stream, event.version}, place);
    return is_new || known->second == place ? "" : "stood elsewhere for another subscriber";
  }

  void SetSubscriber(std::uint32_t number) { subscriber_ = &subscribers_[number]; }
  std::uint64_t EventsOf(std::uint32_t number) { return subscribers_[number].events(); }

 private:
  const History& history_;
  const StreamChains& chains_;
  std::map<std::uint32_t, Subscriber> subscribers_;
  Subscriber* subscriber_ = nullptr;
  std::map<std::pair<StreamNumber, Version>, Place> places_;
};

}  // namespace

void CheckDeliveries(const History& history, const StreamChains& chains, std::uint32_t subscribers,
                     std::vector<std::string>& violations) {
  DeliveryCheck check(history, chains);
  for (const PullCall& pull : history.pulls) {
    check.SetSubscriber(pull.subscriber);
    for (const DeliveredEvent& event : pull.events) {
      const std::string wrong = check.Check(event);
      if (wrong.empty()) continue;
      violations.push_back(absl::StrFormat("to subscriber %d: %s %s\n  in %s", pull.subscriber, Describe(event), wrong,
                                           Describe(pull)));
      return;  // what follows on it would only be told again
    }
  }
  for (std::uint32_t i = 0; i < subscribers; ++i) {
    if (check.EventsOf(i) == chains.events()) continue;
    violations.push_back(absl::StrFormat("subscriber %d was handed out %d events of %d", i, check.EventsOf(i),
                                         chains.events()));
  }
}

}  // namespace everfold
