// contend_for_streams DIRECTORY SEED FIRST CHECKPOINT...: opens the store in the directory. Clients contend for its few
// streams, with appends from number FIRST on, and as many subscribers as there are checkpoints ("4,0,7,2", or "-" for
// the beginning) follow it, until the process is killed. It tells on standard output what it does (told_calls.h).
// With FIRST 0 there are no clients: the subscribers go on to the end, and every stream is read whole.
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "everfold/base/check.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "tests/linearizability/contended_store.h"
#include "tests/linearizability/told_calls.h"

namespace everfold {
namespace {

constexpr std::uint64_t kClients = 16;

void Tell(std::string line) {
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(1);
}

void TellIfWrong(const absl::Status& status) {
  if (!status.ok()) Tell("wrong " + status.ToString());
}

std::int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Does one call after the other, mostly appends that expect what it knows of the streams.
class Client {
 public:
  Client(ContendedStore& store, std::uint64_t seed, std::atomic<AppendNumber>& next)
      : store_(store), random_(seed), next_(next) {}

  [[noreturn]] void Run() {
    while (true) {
      const std::uint64_t choice = random_.Below(20);
      if (choice == 0) {
        ReadVersions();
      } else if (choice < 4) {
        ReadEvents();
      } else {
        Append();
      }
    }
  }

 private:
  StreamNumber AnyStream() { return static_cast<StreamNumber>(random_.Below(kContendedStreams)); }

  // Of one stream right after the other, so that one that does not have its part of a commit yet is met.
  void ReadVersions() {
    std::vector<ReadCall> reads(4);
    for (ReadCall& read : reads) {
      read.stream = AnyStream();
      read.time.start = Now();
      TellIfWrong(store_.ReadVersion(read));
      read.time.end = Now();
    }
    for (const ReadCall& read : reads) {
      Tell(ReadLine(read));
      known_[read.stream] = read.head;
    }
  }

  void ReadEvents() {
    const StreamNumber stream = AnyStream();
    const std::uint64_t known = known_[stream].value();
    const Version after(known - std::min(known, random_.Below(20)));
    ReadCall read{.time = {.start = Now()}, .stream = stream, .after = after};
    TellIfWrong(store_.ReadEvents(kMaxEventsARead, read));
    read.time.end = Now();
    Tell(ReadLine(read));
    if (!read.events.empty()) known_[stream] = read.events.back().version;
  }

  void Append() {
    AppendCall append{.number = next_.fetch_add(1)};
    AddPart(known_stream_.value_or(AnyStream()), append);
    if (random_.Below(6) == 0) {
      AddPart(AnyStream(), append);
      AddPart(AnyStream(), append);
    }
    append.time.start = Now();
    Tell(SentLine(append));
    TellIfWrong(store_.Append(append));
    append.time.end = Now();
    Tell(AnsweredLine(append));
    known_stream_ = std::nullopt;
    if (append.outcome == AppendOutcome::kConflict) {
      known_stream_ = append.conflicting;
      known_[append.conflicting] = append.actual;
    }
    if (append.outcome != AppendOutcome::kDone) return;
    for (const AppendPart& part : append.parts) known_[part.stream] = part.version;
  }

  void AddPart(StreamNumber stream, AppendCall& append) {
    for (const AppendPart& part : append.parts) {
      if (part.stream == stream) return;
    }
    std::optional<Version> expected = known_[stream];
    if (random_.Below(12) == 0) expected = std::nullopt;
    append.parts.push_back({.stream = stream, .expected = expected, .events = 1 + random_.Below(6) / 4});
  }

  ContendedStore& store_;
  SeededRandom random_;
  std::atomic<AppendNumber>& next_;
  std::array<Version, kContendedStreams> known_;
  std::optional<StreamNumber> known_stream_;  // the last conflict told its version
};

// Pulls when it is hinted that there is more.
class Subscriber {
 public:
  Subscriber(ContendedStore& store, std::uint32_t number, std::uint64_t seed, ContendedStore::Offsets checkpoint)
      : store_(store), number_(number), random_(seed), checkpoint_(std::move(checkpoint)) {
    watch_ = store_.WatchDurable([this] { Hint(); });
    Start();
  }

  [[noreturn]] void Run() {
    while (true) {
      Await();
      // The odd ones take a little at each hint, and fall behind.
      while (!Pull() && number_ % 2 == 0) continue;
      if (number_ >= 2 && random_.Below(20) == 0) Start();
    }
  }

  void RunToEnd() {
    while (!Pull()) continue;
  }

 private:
  void Start() {
    reader_ = nullptr;
    absl::StatusOr<std::unique_ptr<ContendedStore::Reader>> reader = store_.StartReader(checkpoint_);
    TellIfWrong(reader.status());
    reader_ = *std::move(reader);
  }

  // True if it caught up.
  bool Pull() {
    PullCall pull{.time = {.start = Now()}, .subscriber = number_};
    const bool refuse = random_.Below(10) == 0;
    TellIfWrong(reader_->Pull(1 + random_.Below(kMaxEventsAPull), refuse, pull));
    pull.time.end = Now();
    checkpoint_ = reader_->checkpoint();
    Tell(PulledLine(pull, checkpoint_));
    return pull.caught_up;
  }

  void Hint() {
    MutexLock lock(&mutex_);
    hinted_ = true;
  }
  void Await() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&hinted_));
    hinted_ = false;
  }

  ContendedStore& store_;
  const std::uint32_t number_;
  SeededRandom random_;
  ContendedStore::Offsets checkpoint_;
  std::unique_ptr<ContendedStore::Reader> reader_;
  Mutex mutex_;
  bool hinted_ ABSL_GUARDED_BY(mutex_) = true;
  std::unique_ptr<EventStore::Watch> watch_;
};

using Subscribers = std::vector<std::unique_ptr<Subscriber>>;

[[noreturn]] void Contend(ContendedStore& store, std::uint64_t seed, AppendNumber first, Subscribers& subscribers) {
  std::atomic<AppendNumber> next = first;
  std::vector<std::jthread> threads;
  for (std::unique_ptr<Subscriber>& subscriber : subscribers) {
    threads.emplace_back([&subscriber] { subscriber->Run(); });
  }
  for (std::uint64_t i = 1; i < kClients; ++i) {
    threads.emplace_back([&store, &next, seed = seed + i] { Client(store, seed, next).Run(); });
  }
  Client(store, seed, next).Run();
}

void ReadWhole(const ContendedStore& store, StreamNumber stream) {
  Version after;
  while (true) {
    ReadCall read{.time = {.start = Now()}, .stream = stream, .after = after};
    TellIfWrong(store.ReadEvents(kMaxEventsARead, read));
    read.time.end = Now();
    Tell(ReadLine(read));
    if (read.to_end) return;
    after = read.events.back().version;
  }
}

ContendedStore::Offsets ParseCheckpoint(const std::string& words) {
  ContendedStore::Offsets offsets;
  if (words == "-") return offsets;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(words, ','))) {
    EVERFOLD_CHECK(absl::SimpleAtoi(word, &offsets.emplace_back()));
  }
  return offsets;
}

absl::Status Run(const std::vector<std::string>& arguments) {
  const std::uint64_t seed = std::strtoull(arguments[1].c_str(), nullptr, 10);
  const AppendNumber first = std::strtoull(arguments[2].c_str(), nullptr, 10);
  Tell("opening");
  const absl::StatusOr<std::unique_ptr<ContendedStore>> store = ContendedStore::Open(arguments[0], seed);
  if (!store.ok()) return store.status();
  Tell("open");
  const std::uint64_t seed_of_life = (seed * 1'000'003 + first) * 1'000;
  Subscribers subscribers;
  for (std::uint32_t i = 0; i + 3 < arguments.size(); ++i) {
    subscribers.push_back(
        std::make_unique<Subscriber>(**store, i, seed_of_life + 100 + i, ParseCheckpoint(arguments[i + 3])));
  }
  if (first > 0) Contend(**store, seed_of_life, first, subscribers);
  for (std::unique_ptr<Subscriber>& subscriber : subscribers) subscriber->RunToEnd();
  for (StreamNumber stream = 0; stream < kContendedStreams; ++stream) ReadWhole(**store, stream);
  Tell("finished");
  std::_Exit(0);
}

}  // namespace
}  // namespace everfold

int main(int count, char** arguments) {
  const absl::Status status = everfold::Run({arguments + 1, arguments + count});
  everfold::Tell("wrong " + status.ToString());
  return 1;
}
