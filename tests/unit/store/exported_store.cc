#include "tests/unit/store/exported_store.h"

#include <gtest/gtest.h>

#include "everfold/base/mutex.h"
#include "everfold/v1/money.pb.h"

namespace everfold {
namespace {

constexpr std::uint64_t kStreams = 30;
constexpr char kNoText[] = "\xff\xfe\x00\x80";

std::shared_ptr<MemoryLogStorage> NewStorage(std::uint32_t partitions) {
  return std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, partitions, std::string(32, 'k')});
}

NewEvent MoneyEvent(std::uint64_t minor) {
  v1::Money money;
  money.set_currency("EUR");
  money.set_minor(static_cast<std::int64_t>(minor) - 100);
  NewEvent event;
  event.type = "everfold.v1.Money";
  event.fingerprint = std::string(kTypeFingerprintBytes, '\x93');
  event.payload = money.SerializeAsString();
  return event;
}

NewEvent RawEvent(std::uint64_t number) {
  NewEvent event;
  event.type = "any.Thing";
  event.payload = std::string(kNoText, sizeof(kNoText) - 1) + std::to_string(number);
  return event;
}

NewEvent SampleEvent(SeededRandom& random, absl::Time now) {
  NewEvent event = random.Next() % 2 == 0 ? MoneyEvent(random.Next() % 1000) : RawEvent(random.Next() % 1000);
  if (random.Next() % 3 == 0) event.event_time = now - absl::Microseconds(1 + random.Next() % 1'000'000'000);
  for (std::uint64_t i = random.Next() % 3; i > 0; --i)
    event.tags.push_back("tag:ü" + std::to_string(random.Next() % 9));
  return event;
}

AppendRequest SampleRequest(SeededRandom& random, int number, absl::Time now) {
  AppendRequest request;
  if (random.Next() % 4 == 0) request.tenant = "acme";
  const bool is_outcome = random.Next() % 5 == 0;
  if (is_outcome || random.Next() % 2 == 0) {
    request.command = {.type = "test.v1.Write", .id = "c" + std::to_string(number), .fingerprint = "secret"};
  }
  if (random.Next() % 3 == 0) {
    request.metadata = {.correlation_id = "corr",
                        .causation_id = "cause",
                        .actor = "é",
                        .traceparent = "00-1-1-01",
                        .headers = {{"b", "2"}, {"a", "1"}, {"c", "\"quoted\" \\ <"}}};
  }
  const std::uint64_t first = random.Next() % kStreams;
  for (std::uint64_t i = 0; i <= random.Next() % 3; ++i) {
    StreamAppend& stream = request.streams.emplace_back();
    stream.stream = {request.tenant, "page", "s" + std::to_string((first + i * 7) % kStreams)};
    if (is_outcome) break;
    for (std::uint64_t k = 0; k <= random.Next() % 3; ++k) stream.events.push_back(SampleEvent(random, now));
  }
  request.of_framework = random.Next() % 9 == 0;
  if (request.of_framework) request.streams.front().stream.aggregate = "$group";
  return request;
}

}  // namespace

ExportedStore::ExportedStore(std::uint32_t partitions, absl::Time now) : clock_(now), storage_(NewStorage(partitions)) {
  Open();
}

ExportedStore::ExportedStore(std::shared_ptr<MemoryLogStorage> storage) : storage_(std::move(storage)) { Open(); }

void ExportedStore::Open() {
  log_ = std::make_unique<MemoryLog>(storage_, executor_);
  auto store = EventStore::Open({}, *log_, executor_, clock_, random_);
  EXPECT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

ExportedStore::~ExportedStore() {
  Notification closed;
  store_->Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
  executor_.Join();
}

AppendResult ExportedStore::Append(AppendRequest request) {
  absl::StatusOr<AppendResult> result;
  Notification done;
  store_->Append(std::move(request), [&](absl::StatusOr<AppendResult> outcome) {
    result = std::move(outcome);
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(AppendResult());
}

void ExportedStore::AppendSamples(int commits) {
  SeededRandom random(42);
  for (int i = 0; i < commits; ++i) {
    clock_.Advance(absl::Microseconds(random.Next() % 3));
    Append(SampleRequest(random, i, clock_.Now()));
  }
}

std::vector<std::string> ExportedStore::Export(const ExportOptions& options) {
  std::vector<std::string> lines;
  const auto counts = ExportStore(*store_, options, [&lines](std::string_view line) {
    EXPECT_TRUE(line.ends_with('\n'));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    lines.emplace_back(line.substr(0, line.size() - 1));
    return absl::OkStatus();
  });
  EXPECT_EQ(counts.status(), absl::OkStatus());
  return lines;
}

absl::StatusOr<ImportCounts> ImportLines(const std::vector<std::string>& lines, EventStore& store,
                                         const ImportOptions& options) {
  std::size_t next = 0;
  auto reader = ExportReader::Open([&](std::string& line) -> absl::StatusOr<bool> {
    if (next == lines.size()) return false;
    line = lines[next++];
    return true;
  });
  if (!reader.ok()) return reader.status();
  return ImportCommits(**reader, store, options);
}

std::shared_ptr<MemoryLogStorage> ChangedCopy(
    const MemoryLogStorage& storage, const std::function<std::string(PartitionId, const std::string& chunk)>& change) {
  auto copy = std::make_shared<MemoryLogStorage>(storage.identity());
  for (std::uint32_t i = 0; i < storage.identity().partitions; ++i) {
    const PartitionId partition(i);
    for (std::uint64_t number = 1; const auto* const chunk = storage.ChunkAt(partition, number); ++number) {
      auto bytes = std::make_shared<const std::string>(change(partition, *chunk->bytes));
      if (bytes->empty()) break;
      EXPECT_EQ(copy->Append({{partition, copy->Head(partition), chunk->head, std::move(bytes)}}), absl::OkStatus());
    }
  }
  return copy;
}

}  // namespace everfold
