// A process that appends to a store is killed (SIGKILL) at any moment, over and over: while it opens, recovers,
// appends, seals and writes its index. Each time, all that it had acknowledged must be there, once, in its place.
//
// EVERFOLD_KILL_CYCLES=n: so many in all. EVERFOLD_SEED=n: the first store's seed, which decides what is sent, but not
// at which instruction the kill comes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/database.h"
#include "everfold/log/embedded/store_parts.h"
#include "everfold/runtime/asio_executor.h"
#include "tests/contract/scratch_directory.h"
#include "tests/fault/appends_to_kill.h"
#include "tests/fault/child_process.h"
#include "tests/simulation/store_ledger.h"

namespace everfold {
namespace {

using std::chrono::microseconds;

// Of one store; then its history is long enough.
constexpr int kCyclesOfAStore = 10;
constexpr std::uint64_t kMaxLines = 3000;
constexpr microseconds kMaxWork = std::chrono::milliseconds(150);

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// A store and its ledger over many processes.
class KillLoop {
 public:
  explicit KillLoop(std::uint64_t seed) : seed_(seed), random_(seed) {}

  void Cycle() {
    ChildProcess child(APPEND_WITH_LEDGER, {store(), absl::StrCat(seed_), absl::StrCat(ledger_.size())});
    Follow(child);
    const bool killed = child.Kill();
    while (const std::optional<std::string> line = child.ReadLine()) Note(*line);
    if (!killed) ledger_.Report("the process ended by itself");
    for (SentAppend* sent : outstanding_) sent->unknown = true;
    outstanding_.clear();
    killed_opening_ += is_open_ ? 0 : 1;
    if (const absl::Status checked = CheckCopy(); !checked.ok()) ledger_.Report(checked.ToString());
  }

  StoreLedger& ledger() { return ledger_; }
  int killed_opening() const { return killed_opening_; }
  // When files were written that were not part of the store yet.
  int killed_sealing() const { return killed_sealing_; }
  std::uint64_t sealed_files() const { return sealed_files_; }
  std::uint64_t repeated() const { return repeated_; }

 private:
  std::string store() const { return scratch_.path().string() + "/store"; }

  // Reads until the moment that has been drawn for the kill.
  void Follow(ChildProcess& child) {
    is_open_ = false;
    Read(child, 1);
    const ChildProcess::Clock::time_point begun = ChildProcess::Clock::now();
    const std::uint64_t choice = random_.Below(4);
    if (choice == 0) {
      Read(child, kMaxLines, begun + Draw(opening_));
      return;
    }
    Read(child, 1);
    opening_ = std::chrono::duration_cast<microseconds>(ChildProcess::Clock::now() - begun);
    if (choice == 1) {
      Read(child, ~std::uint64_t{0}, ChildProcess::Clock::now() + Draw(kMaxWork));
    } else {
      Read(child, random_.Below(kMaxLines));
    }
  }
  microseconds Draw(microseconds below) {
    return microseconds(random_.Below(static_cast<std::uint64_t>(below.count()) + 1));
  }
  // At most so many lines, and not beyond the deadline.
  void Read(ChildProcess& child, std::uint64_t lines,
            ChildProcess::Clock::time_point deadline = ChildProcess::Clock::time_point::max()) {
    for (std::uint64_t i = 0; i < lines; ++i) {
      const std::optional<std::string> line = child.ReadLine(deadline);
      if (!line.has_value()) return;
      Note(*line);
    }
  }

  void Note(const std::string& line) {
    if (IsAnswer(line)) {
      OnAnswer(ParseAnswer(line, seed_));
    } else if (line == "open") {
      is_open_ = true;
    } else if (absl::StartsWith(line, "sent ")) {
      outstanding_.insert(&ledger_.Add(AppendToKill(seed_, ledger_.size())));
      if (line != absl::StrCat("sent ", ledger_.size() - 1)) ledger_.Report("not the next append: " + line);
    } else if (absl::StartsWith(line, "again ")) {
      std::uint64_t number = 0;
      EVERFOLD_CHECK(absl::SimpleAtoi(line.substr(6), &number) && number < ledger_.size());
      ledger_.at(number).refused = absl::OkStatus();  // a refusal was no part of the history, and does not bind
      outstanding_.insert(&ledger_.at(number));
    } else if (line != "opening") {
      ledger_.Report(line);
    }
  }

  void OnAnswer(const ToldAnswer& told) {
    SentAppend& sent = ledger_.at(told.number);
    if (outstanding_.erase(&sent) == 0) ledger_.Report(absl::StrCat("append ", told.number, " was answered twice"));
    repeated_ += told.answer.ok() && told.answer->repeated ? 1 : 0;
    ledger_.OnAnswer(sent, told.answer);
  }

  // Of a copy, so that the next process has the same to recover from.
  absl::Status CheckCopy() {
    const std::string copy = scratch_.path().string() + "/copy";
    std::filesystem::remove_all(copy);
    if (!std::filesystem::exists(store())) return absl::OkStatus();
    std::filesystem::copy(store(), copy, std::filesystem::copy_options::recursive);
    const std::filesystem::path incoming = IncomingDirectory(SealedDirectory(LogToKill(copy, seed_).directory));
    if (std::filesystem::exists(incoming) && !std::filesystem::is_empty(incoming)) ++killed_sealing_;
    SystemRandom random;
    SystemClock clock;
    AsioExecutor executor(1);
    EVERFOLD_ASSIGN_OR_RETURN(const auto log, EmbeddedLog::Open(LogToKill(copy, seed_), executor, random));
    EVERFOLD_ASSIGN_OR_RETURN(const auto store, EventStore::Open(StoreToKill(copy), *log, executor, clock, random));
    EVERFOLD_ASSIGN_OR_RETURN(const StoreContents contents, ReadContents(*store, ledger_.names()));
    ledger_.Check(contents);
    EVERFOLD_ASSIGN_OR_RETURN(const VerifyReport report, store->Verify({}));
    EVERFOLD_RETURN_IF_ERROR(report.status());
    sealed_files_ = log->size().sealed_files;
    return log->VerifyFiles();
  }

  const std::uint64_t seed_;
  SeededRandom random_;
  ScratchDirectory scratch_;
  StoreLedger ledger_;
  std::set<SentAppend*> outstanding_;
  bool is_open_ = false;
  microseconds opening_ = std::chrono::milliseconds(20);  // the last one's duration
  int killed_opening_ = 0;
  int killed_sealing_ = 0;
  std::uint64_t sealed_files_ = 0;
  std::uint64_t repeated_ = 0;
};

TEST(KillLoop, WhatWasAcknowledgedSurvivesEveryKill) {
  const std::uint64_t cycles = FromEnvironment("EVERFOLD_KILL_CYCLES", 30);
  std::uint64_t seed = FromEnvironment("EVERFOLD_SEED", 1);
  std::uint64_t sent = 0, acknowledged = 0, repeated = 0, sealed_files = 0;
  int killed_opening = 0, killed_sealing = 0;
  for (std::uint64_t cycle = 0; cycle < cycles; ++seed) {
    KillLoop loop(seed);
    for (int i = 0; i < kCyclesOfAStore && cycle < cycles; ++i, ++cycle) {
      loop.Cycle();
      ASSERT_THAT(loop.ledger().violations(), ::testing::IsEmpty()) << "EVERFOLD_SEED=" << seed << ", cycle " << i;
    }
    sent += loop.ledger().size();
    acknowledged += loop.ledger().acknowledged();
    repeated += loop.repeated();
    sealed_files += loop.sealed_files();
    killed_opening += loop.killed_opening();
    killed_sealing += loop.killed_sealing();
  }
  std::printf("%d kills, %d while opening, %d while sealing; %d sent, %d acknowledged, %d again; %d sealed files\n",
              static_cast<int>(cycles), killed_opening, killed_sealing, static_cast<int>(sent),
              static_cast<int>(acknowledged), static_cast<int>(repeated), static_cast<int>(sealed_files));
  EXPECT_GT(acknowledged, 10 * cycles);
  EXPECT_GT(repeated, cycles);
  EXPECT_GT(sealed_files, cycles);
  EXPECT_GT(killed_opening, 0);
}

}  // namespace
}  // namespace everfold
