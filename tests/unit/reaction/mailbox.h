// A small world for tests of reactors: accounts that are credited and debited, and a reactor that sends a mail about
// each of it, on a real store whose log is in memory.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/reaction/reactor.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/recording_logger.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/log/forwarding_log.h"

namespace everfold {

using Credited = google::protobuf::Int64Value;
using Debited = google::protobuf::UInt64Value;
inline constexpr char kNoted[] = "ledger.v1.Noted";  // an event that nobody reacts to

struct LedgerState {};
template <>
struct AggregateOf<LedgerState> {
  using Superseded = Types<>;
};
template <>
struct EventTraits<Credited> {
  using Aggregate = LedgerState;
  static constexpr char kName[] = "ledger.v1.Credited";
};
template <>
struct EventTraits<Debited> {
  using Aggregate = LedgerState;
  static constexpr char kName[] = "ledger.v1.Debited";
};

struct Mail {
  std::string about;  // "account/a@1"
  std::int64_t minor = 0;
  std::string id;
  unsigned attempt = 0;
  friend bool operator==(const Mail&, const Mail&) = default;
};
inline void PrintTo(const Mail& mail, std::ostream* out) { *out << mail.about << " attempt " << mail.attempt; }

// Outlives restarts, as the world outside does.
struct Outbox {
  std::vector<Mail> tried = {};
  std::vector<Mail> sent = {};
  std::function<absl::Status(const Mail& mail)> answer = nullptr;  // null: OK

  absl::Status Send(Mail mail) {
    tried.push_back(mail);
    const absl::Status result = answer != nullptr ? answer(mail) : absl::OkStatus();
    if (result.ok()) sent.push_back(std::move(mail));
    return result;
  }
  std::vector<std::string> Sent() const {
    std::vector<std::string> about;
    for (const Mail& mail : sent) about.push_back(mail.about);
    return about;
  }
  std::vector<std::string> SentOf(const std::string& stream) const {
    std::vector<std::string> about;
    for (const Mail& mail : sent) {
      if (mail.about.starts_with(stream + "@")) about.push_back(mail.about);
    }
    return about;
  }
};

struct Mailer {
  static constexpr ReactorOptions kOptions{
      .name = "mailer",
      .start = ReactorStart::kBeginning,
      .retry = {.attempts = 3, .first_wait = absl::Seconds(10), .longest_wait = absl::Seconds(15)}};
  using Events = Types<Credited, Debited>;

  absl::Status On(const Credited& e, const Reaction& reaction) { return Send(e.value(), reaction); }
  absl::Status On(const Debited& e, const Reaction& reaction) {
    return Send(-static_cast<std::int64_t>(e.value()), reaction);
  }
  absl::Status Send(std::int64_t minor, const Reaction& reaction) {
    return outbox->Send({.about = absl::StrFormat("%s@%d", reaction.stream.ToString(), reaction.version.value()),
                         .minor = minor,
                         .id = reaction.id,
                         .attempt = reaction.attempt});
  }

  Outbox* outbox;
};

// Holds its tasks until they are asked for, as handlers that take long.
class HeldThread final : public Strand {
 public:
  explicit HeldThread(std::shared_ptr<std::deque<Task>> tasks) : tasks_(std::move(tasks)) {}
  void Post(Task task) override { tasks_->push_back(std::move(task)); }

 private:
  const std::shared_ptr<std::deque<Task>> tasks_;
};

// What the disk below the log is like.
struct Disk {
  bool full = false;        // what is to be appended is refused. REQUIRES: no append is outstanding when it changes
  bool unreadable = false;  // a cursor is INTERNAL
  std::size_t refused = 0;  // appends so far
};

// A log on such a disk. Lifetime: inner log and disk outlive it.
class LogOnDisk final : public ForwardingLog {
 public:
  LogOnDisk(PartitionLog& inner, Disk& disk) : ForwardingLog(inner), disk_(disk) {}

  void Append(std::vector<ChunkAppend> group, Done done) override {
    if (!disk_.full) return ForwardingLog::Append(std::move(group), std::move(done));
    ++disk_.refused;
    strand().Post([done = std::move(done)]() mutable {
      done(Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, "the disk is full"));
    });
  }
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    if (disk_.unreadable) return absl::InternalError("the disk does not answer");
    return ForwardingLog::Read(partition, after);
  }

 private:
  Disk& disk_;
};

// Threading: one thread, that of its executor.
class Mailbox {
 public:
  static constexpr std::uint32_t kPartitions = 4;

  explicit Mailbox(std::uint64_t seed = 1)
      : executor_(seed), random_(seed), storage_(std::make_shared<MemoryLogStorage>(Identity())) {
    options_.clock = &executor_.clock();
    options_.random = &random_;
    options_.logger = &logger_;
    options_.make_thread = [this](const std::string&) { return executor_.MakeStrand(); };
    OpenStore();
  }
  ~Mailbox() { Crash(); }

  ManualExecutor& executor() { return executor_; }
  EventStore& store() { return *store_; }
  Reactor& reactor() { return *reactor_; }
  Outbox& outbox() { return outbox_; }
  Disk& disk() { return disk_; }
  ReactorRunnerOptions& options() { return options_; }
  const RecordingLogger& logger() const { return logger_; }

  ReactorType Type() { return MakeReactorType<Mailer>(&outbox_); }

  void Append(const std::string& account, std::vector<NewEvent> events) {
    std::optional<absl::Status> result;
    AppendRequest request;
    request.of_framework = account.starts_with('$');
    request.streams.push_back(
        {.stream = request.of_framework ? ParseStreamId(account).value() : StreamId{"", "account", account},
         .expectation = StreamExpectation::Any(),
         .events = std::move(events)});
    store_->Append(std::move(request), [&result](const absl::StatusOr<AppendResult>& r) { result = r.status(); });
    ASSERT_TRUE(executor_.RunUntil([&result] { return result.has_value(); }));
    ASSERT_EQ(*result, absl::OkStatus());
  }
  void Credit(const std::string& account, std::int64_t minor = 1) { Append(account, {EventWith<Credited>(minor)}); }
  void Debit(const std::string& account, std::int64_t minor = 1) { Append(account, {EventWith<Debited>(minor)}); }
  void Note(const std::string& account) {
    Append(account, {{.type = kNoted, .fingerprint = "", .payload = "", .event_time = {}, .tags = {}}});
  }
  template <class Event>
  static NewEvent EventWith(std::int64_t minor) {
    Event event;
    event.set_value(minor);
    return {.type = EventTraits<Event>::kName,
            .fingerprint = "",
            .payload = event.SerializeAsString(),
            .event_time = {},
            .tags = {}};
  }

  // Opens, and reacts until there is nothing to do at this time.
  void Run(ReactorType type) {
    Start(std::move(type));
    executor_.RunUntilIdle();
  }
  void Run() { Run(Type()); }
  void Start(ReactorType type) {
    auto opened = Reactor::Open(options_, std::move(type), *store_, executor_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    reactor_ = *std::move(opened);
    reactor_->Start();
  }
  // Runs what is to be done at this time; false if that has no end.
  bool ComesToRest() {
    for (int steps = 0; steps < 100'000; ++steps) {
      if (!executor_.RunOne()) return true;
    }
    return false;
  }
  void Stop() {
    bool closed = false;
    reactor_->Close([&closed] { closed = true; });
    executor_.RunUntilIdle();
    ASSERT_TRUE(closed);
    reactor_.reset();
  }
  // Everything that was under way is gone.
  void Crash() {
    executor_.DropAll();
    reactor_.reset();
    store_.reset();
    log_.reset();
    memory_log_.reset();
  }
  void CrashAndReopen() {
    Crash();
    OpenStore();
  }
  // The log has lost its events; `epoch` of another history, or the same.
  void EmptyLog(const std::string& epoch = "0123456789abcdef") {
    Crash();
    storage_ = std::make_shared<MemoryLogStorage>(Identity(epoch));
    OpenStore();
  }

  // What an operator's call is answered.
  template <class Call>
  absl::Status Ask(Call call) {
    std::optional<absl::Status> answer;
    call([&answer](absl::Status status) { answer = std::move(status); });
    executor_.RunUntilIdle();
    return answer.value_or(absl::UnknownError("not answered"));
  }
  absl::Status Retry(const std::string& key) {
    return Ask([&](Reactor::Done done) { reactor_->Retry(key, std::move(done)); });
  }
  absl::Status Drop(const std::string& key, std::uint64_t version, const std::string& reason = "a test") {
    return DropOf(key, key, version, reason);
  }
  absl::Status DropOf(const std::string& key, const std::string& stream, std::uint64_t version,
                      const std::string& reason = "a test") {
    return Ask([&](Reactor::Done done) {
      reactor_->Drop(key, ParseStreamId(stream).value(), Version(version), reason, std::move(done));
    });
  }
  void StartDrop(const std::string& key, std::uint64_t version, Reactor::Done done) {
    reactor_->Drop(key, ParseStreamId(key).value(), Version(version), "a test", std::move(done));
  }
  absl::Status Pause() {
    return Ask([&](Reactor::Done done) { reactor_->Pause(std::move(done)); });
  }
  absl::Status Resume() {
    return Ask([&](Reactor::Done done) { reactor_->Resume(std::move(done)); });
  }
  absl::Status Reset(v1::ReactorResetTo to, const std::string& reason = "a test") {
    return Ask([&](Reactor::Done done) { reactor_->Reset(to, reason, std::move(done)); });
  }
  std::vector<ReactorKey> Keys() {
    std::optional<absl::StatusOr<std::vector<ReactorKey>>> answer;
    reactor_->ListKeys([&](absl::StatusOr<std::vector<ReactorKey>> keys) { answer = std::move(keys); });
    executor_.RunUntilIdle();
    EXPECT_TRUE(answer.has_value() && answer->ok());
    return **answer;
  }
  std::uint64_t Saves() { return store_->VersionOf({"", "$reactor", "mailer"}).value().value(); }

 private:
  static LogIdentity Identity(const std::string& epoch = "0123456789abcdef") {
    return {.epoch = {epoch}, .partitions = kPartitions, .key = "key"};
  }
  void OpenStore() {
    memory_log_ = std::make_unique<MemoryLog>(storage_, executor_);
    log_ = std::make_unique<LogOnDisk>(*memory_log_, disk_);
    store_ = EventStore::Open({}, *log_, executor_, executor_.clock(), random_).value();
  }

  RecordingLogger logger_;
  ManualExecutor executor_;
  SeededRandom random_;
  Outbox outbox_;
  ReactorRunnerOptions options_;
  std::shared_ptr<MemoryLogStorage> storage_;
  Disk disk_;
  std::unique_ptr<MemoryLog> memory_log_;
  std::unique_ptr<LogOnDisk> log_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<Reactor> reactor_;
};

}  // namespace everfold
