// Whoever reads while commits become durable sees whole ones, and nothing beyond the durable head. Threads race here:
// a run that passes proves little, but each of these has failed within a second where the store had it wrong.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/functional/function_ref.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"

namespace everfold {
namespace {

constexpr std::uint32_t kPartitions = 4;
constexpr int kCommits = 4000;

class EventStoreConcurrencyTest : public ::testing::TestWithParam<bool> {
 protected:
  EventStoreConcurrencyTest()
      : log_(std::make_shared<MemoryLogStorage>(LogIdentity{Epoch{random_.Bytes(16)}, kPartitions, random_.Bytes(32)}),
             executor_),
        store_(*EventStore::Open({}, log_, executor_, clock_, random_)) {
    for (int i = 0; PartitionOf(other_, kPartitions) == PartitionOf(one_, kPartitions); ++i) {
      other_.id = std::to_string(i);
    }
  }
  ~EventStoreConcurrencyTest() override {
    Notification closed;
    store_->Close([&] { closed.Notify(); });
    closed.WaitForNotification();
  }

  // An event to each of the two streams, over and over, while another thread looks.
  void AppendWhile(absl::FunctionRef<void()> look) {
    std::atomic<bool> done = false;
    std::jthread looking([&] {
      while (!done) look();
    });
    for (int i = 0; i < kCommits; ++i) Append();
    done = true;
  }

  Version VersionOf(const StreamId& stream) const { return *store_->VersionOf(stream); }

  SystemRandom random_;
  SystemClock clock_;
  AsioExecutor executor_{2};
  MemoryLog log_;
  std::unique_ptr<EventStore> store_;
  const StreamId one_{"", "jar", "one"};
  StreamId other_ = one_;  // of another partition

 private:
  void Append() {
    NewEvent event;
    event.type = "jar.v1.Filled";
    if (GetParam()) event.tags = {"color:red"};
    AppendRequest request;
    for (const StreamId& stream : {one_, other_}) {
      request.streams.push_back({.stream = stream, .expectation = StreamExpectation::Any(), .events = {event}});
    }
    Notification done;
    store_->Append(std::move(request), [&](const absl::StatusOr<AppendResult>& result) {
      EXPECT_TRUE(result.ok()) << result.status();
      done.Notify();
    });
    done.WaitForNotification();
  }
};

TEST_P(EventStoreConcurrencyTest, ACommitToTwoStreamsIsNotSeenInHalf) {
  std::uint64_t halves = 0;
  AppendWhile([&] {
    const Version one = VersionOf(one_), other_later = VersionOf(other_), other = VersionOf(other_);
    const Version one_later = VersionOf(one_);
    halves += one > other_later || other > one_later ? 1 : 0;
  });
  EXPECT_EQ(halves, 0u);
}

TEST_P(EventStoreConcurrencyTest, NothingIsReadBeyondTheDurableHead) {
  const std::uint32_t partition = PartitionOf(one_, kPartitions).value();
  std::uint64_t beyond = 0;
  AppendWhile([&] {
    const Version read = VersionOf(one_);
    beyond += store_->DurableHead().offsets[partition].value() < read.value() ? 1 : 0;
  });
  EXPECT_EQ(beyond, 0u);
}

TEST_P(EventStoreConcurrencyTest, WhatIsDurableIsRead) {
  const std::uint32_t partition = PartitionOf(one_, kPartitions).value();
  std::uint64_t missing = 0;
  AppendWhile([&] {
    const Offset head = store_->DurableHead().offsets[partition];
    missing += VersionOf(one_).value() < head.value() ? 1 : 0;
  });
  EXPECT_EQ(missing, 0u);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutTags, EventStoreConcurrencyTest, ::testing::Bool());

}  // namespace
}  // namespace everfold
