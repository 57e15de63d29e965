// A store in memory, on an executor that a seed decides, for tests of those who read it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

// "3:wallet/a@2": sequence, stream, version.
inline std::string NameOf(const RecordedEvent& event) {
  return absl::StrFormat("%d:%s@%d", event.commit.sequence.value(), event.stream.stream.ToString(),
                         event.version.value());
}

inline NewEvent EventOf(const std::string& type, std::vector<std::string> tags = {}) {
  return {.type = type, .fingerprint = {}, .payload = "p", .event_time = {}, .tags = std::move(tags)};
}

class StoreOfTests {
 public:
  explicit StoreOfTests(std::uint64_t seed = 3, std::uint32_t partitions = 16)
      : executor_(seed),
        random_(seed),
        storage_(std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, partitions, "key"})) {
    Open();
  }

  // What is under way is dropped; what is durable is there again.
  void CrashAndReopen() {
    executor_.DropAll();
    store_.reset();
    log_.reset();
    Open();
  }

  // One commit with these events in each of the streams ("wallet/a").
  void StartAppend(const std::vector<std::string>& streams, const std::vector<NewEvent>& events = {EventOf("T")},
                   const std::string& tenant = "") {
    AppendRequest request;
    request.tenant = tenant;
    request.of_framework = true;  // some tests write what a group would
    for (const std::string& stream : streams) {
      request.streams.push_back({.stream = ParseStreamId(stream, tenant).value(), .events = events});
    }
    store_->Append(std::move(request), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  }
  void Append(const std::vector<std::string>& streams, const std::vector<NewEvent>& events = {EventOf("T")},
              const std::string& tenant = "") {
    StartAppend(streams, events, tenant);
    executor_.RunUntilIdle();
  }

  ManualExecutor& executor() { return executor_; }
  EventStore& store() { return *store_; }
  MemoryLogStorage& storage() { return *storage_; }

 private:
  void Open() {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    store_ = EventStore::Open({}, *log_, executor_, executor_.clock(), random_).value();
  }

  ManualExecutor executor_;
  SeededRandom random_;
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
};

}  // namespace everfold
