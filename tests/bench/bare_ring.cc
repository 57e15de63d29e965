#include "tests/bench/bare_ring.h"

#include <utility>

#include "everfold/base/status.h"
#include "tests/bench/latencies.h"
#include "tests/bench/machine.h"

namespace everfold::bench {

BareRing::BareRing(RingFiles& files, Executor* executor)
    : files_(files), executor_(executor), thread_([this] { Run(); }) {}

BareRing::~BareRing() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void BareRing::Append(std::string_view bytes, Caller& caller) {
  MutexLock lock(&mutex_);
  waiting_.push_back({bytes, &caller});
}

void BareRing::Run() {
  while (true) {
    Group group;
    {
      MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &BareRing::HasWork));
      if (waiting_.empty()) return;
      group.swap(waiting_);
    }
    absl::Status status = Write(group);
    Tell(std::move(group), std::move(status));
  }
}

absl::Status BareRing::Write(const Group& group) {
  buffer_.clear();
  for (const Waiting& waiting : group) buffer_.append(waiting.bytes);
  return files_.WriteAndSync(buffer_);
}

void BareRing::Tell(Group group, absl::Status status) {
  Task tell = [group = std::move(group), status = std::move(status)] {
    for (const Waiting& waiting : group) waiting.caller->OnDurable(status);
  };
  executor_ == nullptr ? tell() : executor_->Post(std::move(tell));
}

RingTarget::RingTarget(BareRing& ring, const Payloads& payloads, std::size_t payloads_a_record)
    : ring_(ring), payloads_(payloads), payloads_a_record_(payloads_a_record) {
  for (std::size_t i = 0; i < kMostCallers; ++i) slots_.push_back({Noise(i), std::string()});
}

void RingTarget::Append(std::size_t number, Caller& caller) {
  Slot& slot = slots_[number];
  slot.record.resize(payloads_a_record_ * payloads_.bytes());
  for (std::size_t i = 0; i < payloads_a_record_; ++i) {
    payloads_.Fill(slot.noise, slot.record.data() + i * payloads_.bytes());
  }
  ring_.Append(slot.record, caller);
}

absl::StatusOr<double> MedianOfBareSyncs(RingFiles& files, const Payloads& payloads, absl::Duration time) {
  Noise noise(0);
  Latencies latencies;
  std::string record(payloads.bytes(), '\0');
  const std::int64_t end = NowNanos() + absl::ToInt64Nanoseconds(time);
  for (std::int64_t began = NowNanos(), now = began; began < end; began = now) {
    payloads.Fill(noise, record.data());
    EVERFOLD_RETURN_IF_ERROR(files.WriteAndSync(record));
    now = NowNanos();
    latencies.Add(now - began);
  }
  return latencies.Percentile(50);
}

}  // namespace everfold::bench
