#include "tests/simulation/store_simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace everfold {
namespace {

constexpr int kActions = 150;

}  // namespace

StoreSimulation::StoreSimulation(std::uint64_t seed) : store_(seed, disk_), random_(store_.random()) {
  EmbeddedLogOptions& log = store_.log_options();
  log.partitions = static_cast<std::uint32_t>(1 + random_.Below(6));
  log.paranoid = random_.Below(4) == 0;
  log.journal_file_bytes = (std::size_t{8} << random_.Below(4)) << 10;
  log.max_journal_files = 3 + random_.Below(4);
  log.seal_files = 1 + random_.Below(2);
  EventStoreOptions& store = store_.store_options();
  store.max_group_commits = 1 + random_.Below(8);
  store.max_groups_on_the_way = 1 + random_.Below(4);
  store.min_group_commits = 1 + random_.Below(3);
  if (random_.Below(2) == 0) store.index.directory = "";
  store.index.max_memory_bytes = (std::size_t{1} << random_.Below(10)) << 10;
}

void StoreSimulation::Run() {
  ASSERT_EQ(store_.Open(), absl::OkStatus());
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  if (::testing::Test::HasFailure()) return;
  disk_.StopFailing();
  disk_.set_free_bytes(1 << 30);
  store_.Die();
  Reopen();
  store_.Settle();
  Check();
  LosePower();
}

void StoreSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 55) {
    store_.Send(RandomConditionalAppend());
  } else if (choice < 60) {
    SendAgain();
  } else if (choice < 85) {
    store_.RunSteps(random_.Below(40));
  } else if (choice < 90) {
    store_.executor().Advance(absl::Milliseconds(random_.Below(30)));
  } else if (choice < 92) {
    PlanFault();
  } else if (choice < 93) {
    disk_.set_free_bytes(random_.Below(2) == 0 ? 0 : 1 << 30);
  } else if (choice < 95) {
    store_.Die();
    Reopen();
  } else if (choice < 97) {
    LosePower();
  } else if (choice < 99) {
    store_.log().SealAll([](absl::Status) {});
  } else {
    store_.Close();
    Reopen();
  }
  EXPECT_THAT(store_.ledger().violations(), testing::IsEmpty());
  if (testing::Test::HasFailure()) return;
  store_.CollectAnswers();
  // The log failed in the middle: the process ends, and is started again.
  if (store_.store().health().ok()) return;
  store_.Die();
  if (random_.Below(2) == 0) return LosePower();
  Reopen();
}

// Half of them rely on what is durable now, or was a moment ago.
AppendRequest StoreSimulation::RandomConditionalAppend() {
  AppendRequest request = RandomAppend(random_, store_.ledger().size());
  for (StreamAppend& stream : request.streams) {
    for (NewEvent& event : stream.events) {
      if (random_.Below(2) == 0) event.tags.push_back("t" + std::to_string(random_.Below(4)));
    }
  }
  if (random_.Below(2) == 0) return request;
  const std::uint64_t durable = store_.store().DurableSequence().value();
  AppendCondition& condition = request.condition.emplace();
  condition.after = Sequence(durable - std::min(durable, random_.Below(4)));
  QueryItem& item = condition.fail_if_events_match.items.emplace_back();
  item.tags.push_back("t" + std::to_string(random_.Below(4)));
  if (random_.Below(3) == 0)
    item = {.types = {request.streams[0].events.empty() ? "jar.v1.None" : request.streams[0].events[0].type},
            .tags = {}};
  return request;
}

// A command whose outcome is unknown is sent again: the first one answers, if it was durable.
void StoreSimulation::SendAgain() {
  if (store_.ledger().size() == 0) return;
  SentAppend& sent = store_.ledger().at(random_.Below(store_.ledger().size()));
  const bool unknown = !sent.acknowledged.has_value() && sent.refused.ok();
  if (unknown && !sent.request.command.empty() && !store_.IsOutstanding(sent)) store_.SendAgain(sent);
}

void StoreSimulation::PlanFault() {
  const DiskFault faults[] = {DiskFault::kIoError, DiskFault::kNoSpace, DiskFault::kShortWrite, DiskFault::kSyncError};
  disk_.FailFrom(1 + random_.Below(40), faults[random_.Below(4)],
                 random_.Below(2) == 0 ? FaultTimes::kOnce : FaultTimes::kForever);
}

void StoreSimulation::LosePower() {
  store_.CollectAnswers();
  disk_.LosePower(random_);
  store_.Die();
  disk_.Restore();
  Reopen();
}

void StoreSimulation::Reopen() {
  // While the disk fails an opening may fail too, but never by calling a loss what is none.
  absl::Status opened = store_.Open();
  if (!opened.ok()) {
    EXPECT_GT(disk_.failures(), 0u) << opened;
    EXPECT_NE(opened.code(), absl::StatusCode::kDataLoss) << opened;
    store_.Die();
    disk_.StopFailing();
    opened = store_.Open();
  }
  ASSERT_EQ(opened, absl::OkStatus());
  Check();
}

void StoreSimulation::Check() {
  const absl::Status read = store_.Check();
  EXPECT_TRUE(read.ok() || disk_.failures() > 0) << read;
  EXPECT_THAT(store_.ledger().violations(), testing::IsEmpty());
}

}  // namespace everfold
