// append_with_ledger DIRECTORY SEED FIRST: opens the store in the directory and appends to it until it is killed, the
// appends from number FIRST on, among them once more some that earlier processes sent, and tells on standard output
// what it sends and what it is answered (appends_to_kill.h).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "everfold/base/clock.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/asio_executor.h"
#include "tests/fault/appends_to_kill.h"
#include "tests/simulation/store_ledger.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxOutstanding = 32;
// An earlier process had at most so many appends whose outcome nobody was told.
constexpr std::uint64_t kUnsettled = 2 * kMaxOutstanding;
constexpr std::uint64_t kOlder = 16;
// The payload of an append that must not be.
constexpr std::uint64_t kNobody = 999'999'999'999;

void Tell(std::string line) {
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(1);
}

void AddPayloads(std::uint64_t number, AppendRequest& request) {
  std::size_t event = 0;
  for (StreamAppend& stream : request.streams) {
    for (NewEvent& added : stream.events) added.payload = StoreLedger::Payload(number, event++);
  }
}

class Appender {
 public:
  Appender(EventStore& store, std::uint64_t seed, std::uint64_t first)
      : store_(store), seed_(seed), next_(first), random_(seed * 1'000'003 + first) {
    const std::uint64_t settled = first - std::min(first, kUnsettled);
    for (std::uint64_t number = settled; number < first; ++number) again_.push_back(number);
    for (std::uint64_t i = 0; settled > 0 && i < kOlder; ++i) again_.push_back(random_.Below(settled));
    std::sort(again_.begin(), again_.end());
    again_.erase(std::unique(again_.begin(), again_.end()), again_.end());
  }

  [[noreturn]] void Run() {
    while (true) {
      const std::uint64_t choice = random_.Below(40);
      if (choice < 8 && !again_.empty()) {
        SendAgain();
      } else if (choice == 39) {
        SendForeign();
      } else {
        Send(next_++, "sent ");
      }
    }
  }

 private:
  void Begin() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Appender::HasRoom));
    ++outstanding_;
  }
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return outstanding_ < kMaxOutstanding; }

  void Send(std::uint64_t number, const char* word) {
    Begin();
    AppendRequest request = AppendToKill(seed_, number);
    AddPayloads(number, request);
    Tell(absl::StrCat(word, number));
    const CommandId command = request.command;
    store_.Append(std::move(request), [this, number, command](const absl::StatusOr<AppendResult>& answer) {
      Tell(answer.ok() ? DoneLine(number, *answer) : RefusedLine(number, answer.status()));
      MutexLock lock(&mutex_);
      --outstanding_;
      if (answer.ok() && !command.empty()) last_done_ = command;
    });
  }

  // Only a command id makes it safe to ask for the same again.
  void SendAgain() {
    const std::size_t at = random_.Below(again_.size());
    const std::uint64_t number = again_[at];
    again_.erase(again_.begin() + static_cast<std::ptrdiff_t>(at));
    if (!AppendToKill(seed_, number).command.empty()) Send(number, "again ");
  }

  // Another request under a command id that is taken.
  void SendForeign() {
    AppendRequest request = AppendToKill(seed_, 0);
    AddPayloads(kNobody, request);
    request.streams.front().expectation = StreamExpectation::Any();
    {
      MutexLock lock(&mutex_);
      if (last_done_.empty()) return;
      request.command = last_done_;
    }
    request.command.fingerprint = "of another request";
    Begin();
    store_.Append(std::move(request), [this](const absl::StatusOr<AppendResult>& answer) {
      if (ReasonOf(answer.status()) != reason::kIdempotencyKeyReused) {
        Tell(absl::StrCat("wrong answer to another request under a known id: ", answer.status().ToString()));
      }
      MutexLock lock(&mutex_);
      --outstanding_;
    });
  }

  EventStore& store_;
  const std::uint64_t seed_;
  std::uint64_t next_;
  SeededRandom random_;
  std::vector<std::uint64_t> again_;
  Mutex mutex_;
  std::size_t outstanding_ ABSL_GUARDED_BY(mutex_) = 0;
  CommandId last_done_ ABSL_GUARDED_BY(mutex_);
};

absl::Status Run(const std::string& directory, std::uint64_t seed, std::uint64_t first) {
  SystemRandom random;
  SystemClock clock;
  AsioExecutor executor(1);
  Tell("opening");
  const auto log = EmbeddedLog::Open(LogToKill(directory, seed), executor, random);
  if (!log.ok()) return log.status();
  const auto store = EventStore::Open(StoreToKill(directory), **log, executor, clock, random);
  if (!store.ok()) return store.status();
  Tell("open");
  Appender(**store, seed, first).Run();
}

}  // namespace
}  // namespace everfold

int main(int, char** arguments) {
  const absl::Status status =
      everfold::Run(arguments[1], std::strtoull(arguments[2], nullptr, 10), std::strtoull(arguments[3], nullptr, 10));
  everfold::Tell("wrong " + status.ToString());
  return 1;
}
