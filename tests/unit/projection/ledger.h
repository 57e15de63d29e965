// A small world for tests of the read side: accounts that are credited and debited, and the projection of their
// balances, on a real store whose log is in memory.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/event/consistency_token.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/projection/projection.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"
#include "everfold/telemetry/recording_logger.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/columns_as_bytes.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {

using Credited = google::protobuf::Int64Value;
using Debited = google::protobuf::UInt64Value;
inline constexpr char kNoted[] = "ledger.v1.Noted";  // an event that no projection handles

struct LedgerState {};
template <>
struct AggregateOf<LedgerState> {
  using Superseded = Types<>;
};
template <>
struct EventTraits<Credited> {
  using Aggregate = LedgerState;
  static constexpr char kName[] = "ledger.v1.Credited";
  template <class P, class Models>
  static constexpr bool HasOn() {
    return internal::HasExactOn<P, Credited, Models>;
  }
};
template <>
struct EventTraits<Debited> {
  using Aggregate = LedgerState;
  static constexpr char kName[] = "ledger.v1.Debited";
  template <class P, class Models>
  static constexpr bool HasOn() {
    return internal::HasExactOn<P, Debited, Models>;
  }
};

struct Balance {
  std::string account;
  std::int64_t minor = 0;
  std::int64_t events = 0;
  friend bool operator==(const Balance&, const Balance&) = default;
};

inline std::string ToString(const Balance& row) {
  return absl::StrFormat("'%s'|%d|%d", row.account, row.minor, row.events);
}
inline void PrintTo(const Balance& row, std::ostream* out) { *out << ToString(row); }

template <>
struct ReadModelTraits<Balance> {
  struct Key {
    Key(std::string account) : account(std::move(account)) {}
    Key(const char* account) : account(account) {}
    std::string account;
  };
  static const ReadModelSchema& Schema() {
    static const ReadModelSchema schema{
        .message = "ledger.v1.Balance",
        .table = "balance",
        .columns = {{"account", ColumnType::kText}, {"minor", ColumnType::kInteger}, {"events", ColumnType::kInteger}},
        .key = {0},
        .indexes = {{.columns = {1}}}};
    return schema;
  }
  static void BindKey(const Key& key, ColumnWriter& out) { out.Text(0, key.account); }
  static void Bind(const Balance& row, ColumnWriter& out) {
    out.Text(0, row.account);
    out.Integer(1, row.minor);
    out.Integer(2, row.events);
  }
  static void Read(const ColumnReader& in, Balance& row) {
    row = {.account = std::string(in.Text(0)), .minor = in.Integer(1), .events = in.Integer(2)};
  }
  static Key KeyOf(const Balance& row) { return {row.account}; }
  static void SetKey(const Key& key, Balance& row) { row.account = key.account; }
};

template <>
struct internal::RowBytes<Balance> : ColumnsAsBytes<Balance> {};

struct Balances {
  static constexpr ProjectionOptions kOptions{.name = "balances", .revision = 1};
  using Events = Types<Credited, Debited>;
  using ReadModels = Tables<Balance>;
  static void On(const Credited& e, const EventContext& c, ReadModels& t) { Add(c.id, e.value(), t); }
  static void On(const Debited& e, const EventContext& c, ReadModels& t) {
    Add(c.id, -static_cast<std::int64_t>(e.value()), t);
  }

 private:
  static void Add(const std::string& account, std::int64_t minor, ReadModels& t) {
    t.Of<Balance>().Edit(account, [minor](Balance& row) {
      row.minor += minor;
      ++row.events;
    });
  }
};

template <class Event>
NewEvent EventOf(std::int64_t minor) {
  Event event;
  event.set_value(minor);
  return {.type = EventTraits<Event>::kName,
          .fingerprint = "",
          .payload = event.SerializeAsString(),
          .event_time = {},
          .tags = {}};
}

// Threading: one thread, that of its executor.
class Ledger {
 public:
  static constexpr std::uint32_t kPartitions = 4;

  explicit Ledger(std::uint64_t seed = 1, std::uint32_t partitions = kPartitions)
      : partitions_(partitions), executor_(seed), random_(seed) {
    storage_ = std::make_shared<MemoryLogStorage>(
        LogIdentity{.epoch = {random_.Bytes(16)}, .partitions = partitions_, .key = random_.Bytes(32)});
    OpenStore();
  }
  ~Ledger() { Crash(); }

  // Of an opening: by how many events a projection is far behind, and those of a batch of a rebuild. 0: as many as the
  // other batches have.
  std::size_t far_batch_events = 0;

  ManualExecutor& executor() { return executor_; }
  EventStore& store() { return *store_; }
  Projection& projection() { return *projection_; }
  const RecordingLogger& logger() const { return logger_; }
  const std::string& directory() const { return folder_.path(); }

  // The next opening meets a store with another history, and no events.
  void ReplaceStore() {
    Crash();
    storage_ = std::make_shared<MemoryLogStorage>(
        LogIdentity{.epoch = {random_.Bytes(16)}, .partitions = partitions_, .key = random_.Bytes(32)});
    OpenStore();
  }
  // The same history, as of an older time: the log has lost its events.
  void EmptyLog() {
    Crash();
    storage_ = std::make_shared<MemoryLogStorage>(LogIdentity(storage_->identity()));
    OpenStore();
  }

  // Appends and waits until it is durable; other steps may run meanwhile.
  ConsistencyToken Append(const std::string& account, std::vector<NewEvent> events) {
    std::optional<absl::StatusOr<AppendResult>> result;
    AppendRequest request;
    request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = account},
                               .expectation = StreamExpectation::Any(),
                               .events = std::move(events)});
    store_->Append(std::move(request), [&result](absl::StatusOr<AppendResult> r) { result = std::move(r); });
    EXPECT_TRUE(executor_.RunUntil([&result] { return result.has_value(); }));
    EXPECT_TRUE(result->ok()) << result->status();
    return TokenOf(*store_, **result);
  }
  ConsistencyToken Credit(const std::string& account, std::int64_t minor) {
    return Append(account, {EventOf<Credited>(minor)});
  }
  ConsistencyToken Debit(const std::string& account, std::int64_t minor) {
    return Append(account, {EventOf<Debited>(minor)});
  }
  // Events of both types and of one that is not handled, over all partitions.
  void Trade(int events) {
    for (int i = 0; i < events; ++i) {
      const std::string account = absl::StrFormat("a%d", i % 7);
      if (i % 5 == 4) {
        Append(account, {{.type = kNoted, .fingerprint = "", .payload = "\xff", .event_time = {}, .tags = {}}});
      } else if (i % 3 == 2) {
        Debit(account, i);
      } else {
        Append(account, {EventOf<Credited>(i), EventOf<Credited>(1)});
      }
    }
  }

  absl::Status OpenProjection(ProjectionType type = MakeProjectionType<Balances>(), std::size_t max_batch_events = 2000,
                              Files* files = nullptr) {
    auto opened =
        Projection::Open({.directory = directory(),
                          .max_batch_events = max_batch_events,
                          .max_rebuild_batch_events = far_batch_events > 0 ? far_batch_events : max_batch_events,
                          .files = files,
                          .clock = &executor_.clock(),
                          .logger = &logger_},
                         std::move(type), *store_, executor_);
    if (opened.ok()) projection_ = *std::move(opened);
    return opened.status();
  }
  // Opens, and follows until there is nothing to do.
  void RunProjection(ProjectionType type = MakeProjectionType<Balances>(), std::size_t max_batch_events = 2000) {
    const absl::Status opened = OpenProjection(std::move(type), max_batch_events);
    ASSERT_TRUE(opened.ok()) << opened;
    projection_->Start();
    executor_.RunUntilIdle();
  }
  void CloseProjection() {
    bool closed = false;
    projection_->Close([&closed] { closed = true; });
    executor_.RunUntilIdle();
    EXPECT_TRUE(closed);
    projection_.reset();
  }
  // Everything that was under way is gone.
  void Crash() {
    executor_.DropAll();
    projection_.reset();
    store_.reset();
    log_.reset();
  }
  void OpenStore() {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    auto opened = EventStore::Open({}, *log_, executor_, executor_.clock(), random_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  // Rows as they must be at a checkpoint: the fold, in a map instead of a database.
  std::vector<std::string> Fold(const Checkpoint& at) const {
    std::map<std::string, Balance> rows;
    const auto subscription = Subscription::Start(*store_, BeginningOf(*store_));
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    const auto pulled = (*subscription)->Pull(1 << 20, [&](const RecordedEvent& e) {
      if (e.position.offset <= at.offsets[e.position.partition.value()]) Add(e, rows);
      return absl::OkStatus();
    });
    EXPECT_TRUE(pulled.ok()) << pulled.status();
    std::vector<std::string> lines;
    for (const auto& [account, row] : rows) lines.push_back(ToString(row));
    return lines;
  }

 private:
  static void Add(const RecordedEvent& e, std::map<std::string, Balance>& rows) {
    if (e.event.type == kNoted) return;
    Balance& row = rows[e.stream.stream.id];
    row.account = e.stream.stream.id;
    ++row.events;
    Credited value;  // the same bytes as Debited's, for amounts below 2^63
    EXPECT_TRUE(value.ParseFromString(std::string(e.event.payload)));
    row.minor += e.event.type == EventTraits<Credited>::kName ? value.value() : -value.value();
  }

  const std::uint32_t partitions_;
  TemporaryFolder folder_;
  RecordingLogger logger_;
  ManualExecutor executor_;
  SeededRandom random_;
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<Projection> projection_;
};

}  // namespace everfold
