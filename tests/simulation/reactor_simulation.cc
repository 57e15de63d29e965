#include "tests/simulation/reactor_simulation.h"

#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"
#include "everfold/event/event_selection.h"
#include "everfold/subscription/subscription.h"
#include "sample-apps/wallet/wallet.h"
#include "tests/simulation/random_faults.h"

namespace everfold {
namespace {

using testing::TestApp;
using testing::TestAppOptions;

constexpr int kWallets = 5;
constexpr int kActions = 150;

// Keys of wallets that belong together, if there are any.
std::string GroupOf(const std::string& wallet) { return wallet.back() % 2 == 0 ? "even" : "odd"; }

struct Notices {
  static constexpr ReactorOptions kOptions{
      .name = "notices",
      .retry = {.attempts = 4, .first_wait = absl::Milliseconds(50), .longest_wait = absl::Seconds(1)}};
  using Events = EventsOf<wallet::v1::Wallet>;

  absl::Status On(const wallet::v1::WalletOpened&, const Reaction& reaction) { return outside->React(reaction); }
  absl::Status On(const wallet::v1::Deposited&, const Reaction& reaction) { return outside->React(reaction); }
  absl::Status On(const wallet::v1::Withdrawn&, const Reaction& reaction) { return outside->React(reaction); }

  Outside* outside;
};

struct GroupNotices : Notices {
  static std::string Key(const wallet::v1::WalletOpened&, const Reaction& r) { return GroupOf(r.stream.id); }
  static std::string Key(const wallet::v1::Deposited&, const Reaction& r) { return GroupOf(r.stream.id); }
  static std::string Key(const wallet::v1::Withdrawn&, const Reaction& r) { return GroupOf(r.stream.id); }
};

constexpr LogFaults kMostFaults = {.refused_per_mille = 200,
                                   .unknown_but_appended_per_mille = 40,
                                   .unknown_and_lost_per_mille = 40,
                                   .end_delayed_per_mille = 500,
                                   .hint_delayed_per_mille = 500,
                                   .hint_spurious_per_mille = 500};

}  // namespace

absl::Status Outside::React(const Reaction& reaction) {
  const Position& at = reaction.position;
  const std::string name = absl::StrFormat("%s@%d", reaction.stream.ToString(), reaction.version.value());
  EXPECT_EQ(ids_.emplace(at, reaction.id).first->second, reaction.id) << name << " has two ids";
  EXPECT_EQ(events_by_id_.emplace(reaction.id, at).first->second, at) << name << " has the id of another event";
  EXPECT_FALSE(settled_.contains(at)) << name << " was done, and that was saved";
  std::string key;
  const std::vector<LoggedEvent> log = log_();
  for (const LoggedEvent& event : log) {
    if (event.place.position == at) key = event.key;
  }
  EXPECT_FALSE(key.empty()) << name << " is not in the log";
  for (const LoggedEvent& event : log) {
    if (event.place.position == at) break;
    if (event.key != key) continue;
    EXPECT_TRUE(IsOver(event.place.position))
        << name << " came before " << event.place.stream.ToString() << "@" << event.place.version.value();
  }
  if (random_.Below(1000) < hopeless_per_mille_) return absl::NotFoundError("no address");
  if (random_.Below(1000) < failing_per_mille_) return absl::UnavailableError("down");
  done_.insert(at);
  done_in_run_.insert(at);
  return absl::OkStatus();
}

ReactorSimulation::ReactorSimulation(std::uint64_t seed)
    : random_(seed), grouped_(random_.Below(2) == 0), outside_(random_, [this] { return Log(); }) {
  // GCC 12 takes a part of one on the stack for uninitialized where the constructor throws.
  const auto made = std::make_unique<TestAppOptions>();
  TestAppOptions& options = *made;
  options.seed = seed;
  options.partitions = static_cast<std::uint32_t>(1 + random_.Below(16));
  options.wrap_log = [this](PartitionLog& log, Executor& executor) -> std::unique_ptr<PartitionLog> {
    return std::make_unique<FaultyLog>(log, faults_, random_, executor);
  };
  options.engine.reactors.max_events_in_hand = 1 + random_.Below(20);
  options.engine.reactors.max_waiting_keys = 1 + random_.Below(4);
  options.engine.reactors.max_parked_keys = random_.Below(4);
  options.engine.reactors.max_unsaved_events = 1 + random_.Below(20);
  ReactorType type = grouped_ ? MakeReactorType<GroupNotices>(Notices{&outside_}) : MakeReactorType<Notices>(&outside_);
  type.concurrency = static_cast<int>(1 + random_.Below(4));
  Parts parts = Parts().Aggregate<wallet::v1::WalletDecider>();
  parts.reactors.push_back(std::move(type));
  app_ = std::make_unique<TestApp>(std::move(parts), std::move(options));
  app_->Settle();  // where it begins, which a log that fails may refuse to take, is in the log
  faults_ = RandomFaults(random_, kMostFaults);
  CrashAndOpen();
}

void ReactorSimulation::Run() {
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  CheckEnd();
}

void ReactorSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 45) {
    Send();
  } else if (choice < 75) {
    RunSteps(random_.Below(40));
  } else if (choice < 85) {
    app_->Advance(absl::Milliseconds(random_.Below(1500)));
  } else if (choice < 93) {
    Operate();
  } else if (choice < 96) {
    StopAndOpen();
  } else {
    CrashAndOpen();
  }
  // The log failed in the middle: the application ends, and is started again.
  if (!app_->engine().store().health().ok()) CrashAndOpen();
}

void ReactorSimulation::Send() {
  const std::string wallet = "w" + std::to_string(random_.Below(kWallets));
  app_->Start(wallet::v1::MakeOpenWallet({.wallet_id = wallet}));
  for (std::uint64_t i = random_.Below(4); i > 0; --i) {
    app_->Start(wallet::v1::MakeDeposit({.wallet_id = wallet, .amount_minor = 1}));
  }
}

void ReactorSimulation::Operate() {
  const auto ignore = [](const absl::Status&) {};  // what comes of it, the calls show
  switch (random_.Below(6)) {
    case 0:
      return reactor().Pause(ignore);
    case 1:
    case 2:
      return reactor().Resume(ignore);
    case 3:
      return reactor().RetryAll(ignore);
    case 4:
      return DropOne();
    default:
      return reactor().ListKeys([](const absl::StatusOr<std::vector<ReactorKey>>&) {});
  }
}

void ReactorSimulation::DropOne() {
  const auto listed = std::make_shared<std::optional<std::vector<ReactorKey>>>();
  reactor().ListKeys([listed](absl::StatusOr<std::vector<ReactorKey>> keys) {
    if (keys.ok()) *listed = *std::move(keys);
  });
  RunSteps(10);
  if (!listed->has_value() || (*listed)->empty()) return;
  const ReactorKey key = (**listed)[random_.Below((*listed)->size())];
  outside_.MayBeDropped(key.at.position);
  reactor().Drop(key.key, key.at.stream, key.at.version, "a simulation", [](const absl::Status&) {});
}

void ReactorSimulation::RunSteps(std::uint64_t count) {
  while (count-- > 0 && app_->executor().RunOne()) continue;
}

// In half of the cases the log takes what it is given: then what is done is saved.
void ReactorSimulation::StopAndOpen() {
  const LogFaults faults = faults_;
  const bool is_sound = random_.Below(2) == 0;
  if (is_sound) {
    faults_ = {};
    CrashAndOpen();
    RunSteps(random_.Below(100));
  }
  const bool saves = is_sound && reactor().Describe().error.ok();
  app_->Stop();
  faults_ = faults;
  const std::set<Position> done = outside_.done_in_run();
  Open();
  if (!saves) return;
  const std::set<Position> saved = Saved();
  for (const Position& at : done) {
    EXPECT_TRUE(saved.contains(at)) << "offset " << at.offset.value() << " of partition " << at.partition.value()
                                    << " is done, and not saved after a clean stop";
  }
}

void ReactorSimulation::CrashAndOpen() {
  app_->Crash();
  Open();
}

void ReactorSimulation::Open() {
  ASSERT_EQ(app_->Open(), absl::OkStatus());
  std::set<Position> saved = Saved();
  for (const Position& at : saved) {
    EXPECT_TRUE(outside_.IsOver(at)) << "offset " << at.offset.value() << " of partition " << at.partition.value()
                                     << " is saved as done, and never was";
  }
  outside_.BeginRun(std::move(saved));
}

// The events that need not be done any more, as the log has it.
std::set<Position> ReactorSimulation::Saved() {
  std::optional<ReactorPlace> place;
  const EventStore& store = app_->engine().store();
  EXPECT_EQ(store.ReadStream({"", kReactorAggregate, "notices"}, {.direction = Direction::kBackwards, .limit = 1},
                             [&place](const RecordedEvent& event) {
                               place = ReactorPlaceOf(event).value();
                               return absl::OkStatus();
                             }),
            absl::OkStatus());
  std::set<Position> saved;
  if (!place.has_value()) return saved;
  std::map<std::string, ReactorKey> keys;
  for (const ReactorKey& key : place->keys) keys.emplace(key.key, key);
  for (const LoggedEvent& event : Log()) {
    const Position& at = event.place.position;
    if (at.offset > place->checkpoint.offsets[at.partition.value()]) continue;
    const auto key = keys.find(event.key);
    const bool is_over = key == keys.end() || ComesBefore(event.place, key->second.at) ||
                         (key->second.passed && event.place == key->second.at);
    if (is_over) saved.insert(at);
  }
  return saved;
}

std::vector<LoggedEvent> ReactorSimulation::Log() {
  std::vector<LoggedEvent> log;
  const auto subscription = Subscription::Start(app_->engine().store(), {});
  EXPECT_TRUE(subscription.ok()) << subscription.status();
  const auto pulled = (*subscription)->Pull(1'000'000, [&](const RecordedEvent& event) {
    const StreamId& stream = event.stream.stream;
    log.push_back({.key = grouped_ ? GroupOf(stream.id) : KeyOfStream(stream), .place = PlaceOf(event)});
    return absl::OkStatus();
  });
  EXPECT_TRUE(pulled.ok()) << pulled.status();
  return log;
}

// With nothing that fails any more, and operators who do their part.
void ReactorSimulation::CheckEnd() {
  faults_ = {};
  outside_.Mend();
  CrashAndOpen();
  for (int i = 0; i < 10; ++i) {
    reactor().Resume([](const absl::Status&) {});
    reactor().RetryAll([](const absl::Status&) {});
    app_->Advance(absl::Seconds(2));
  }
  const ReactorStatus status = reactor().Describe();
  EXPECT_EQ(status.error, absl::OkStatus());
  EXPECT_EQ(status.taken_keys, 0u);
  EXPECT_EQ(status.lag_events, 0u);
  for (const LoggedEvent& event : Log()) {
    EXPECT_TRUE(outside_.IsOver(event.place.position))
        << event.place.stream.ToString() << "@" << event.place.version.value() << " never came";
  }
}

}  // namespace everfold
