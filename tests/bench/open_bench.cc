// Opening a store that was killed in the middle of its work, long and short.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bare_scan.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/child.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"

namespace everfold::bench {
namespace {

namespace fs = std::filesystem;

// In seconds.
struct Opening {
  double log = 0;
  double store = 0;
  std::uint64_t events = 0;
  double all() const { return log + store; }
};

// Killed as soon as it holds so many events; it is at work then.
absl::Status AppendAndKill(const std::string& directory, std::uint64_t events) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Child> child, Child::Start(kAppendVerb, directory));
  for (std::uint64_t durable = 0; durable < events;) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string line, child->ReadLine());
    if (!absl::SimpleAtoi(line, &durable)) return absl::InternalError("not a number of events: " + line);
  }
  child->Kill();
  return absl::OkStatus();
}

absl::StatusOr<Opening> TimeOneOpen(const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Child> child, Child::Start(kOpenVerb, directory));
  EVERFOLD_ASSIGN_OR_RETURN(const std::string line, child->ReadLine());
  Opening opening;
  unsigned long long events = 0;
  if (std::sscanf(line.c_str(), "%lf %lf %llu", &opening.log, &opening.store, &events) != 3) {
    return absl::InternalError("not the time of an opening: " + line);
  }
  opening.events = events;
  return opening;
}

// The ceiling: the journal's bytes are read, and RocksDB opens what is sealed.
absl::StatusOr<double> BareOpen(const std::string& directory) {
  const std::int64_t began = NowNanos();
  std::vector<char> buffer(1 << 20);
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(LogDirectory(directory) + "/journal", failed)) {
    std::ifstream file(entry.path(), std::ios::binary);
    while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {
    }
  }
  if (failed) return absl::UnknownError("cannot list the journal in " + directory);
  EVERFOLD_RETURN_IF_ERROR(SealedFiles::Open(LogDirectory(directory)).status());
  return absl::ToDoubleSeconds(absl::Nanoseconds(NowNanos() - began));
}

// Of one store: several times it is put to work again, killed and opened.
struct Openings {
  std::vector<Opening> warm;
  std::vector<double> bare;
  Opening cold;

  double Median() const {
    std::vector<double> all;
    for (const Opening& opening : warm) all.push_back(opening.all());
    return MedianOf(all);
  }
  double Slowest() const {
    double slowest = 0;
    for (const Opening& opening : warm) slowest = std::max(slowest, opening.all());
    return slowest;
  }
};

// Enough that another part of the journal, and of what the index has not written yet, is met each time.
std::uint64_t MoreEvents(std::uint64_t events, int round) { return events / 37 * static_cast<std::uint64_t>(round); }

absl::StatusOr<Openings> KillAndOpen(const std::string& directory, std::uint64_t events, int rounds) {
  Openings openings;
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t more = MoreEvents(events, i + 1);
    EVERFOLD_RETURN_IF_ERROR(AppendAndKill(directory, events + more));
    EVERFOLD_ASSIGN_OR_RETURN(const double bare, BareOpen(directory));
    EVERFOLD_ASSIGN_OR_RETURN(const Opening opening, TimeOneOpen(directory));
    if (opening.events < events + more) {
      return absl::DataLossError(
          absl::StrFormat("%d events were durable, %d are there", events + more, opening.events));
    }
    Progress(
        absl::StrFormat("open: %d events, log in %.3f s, store in %.3f s", opening.events, opening.log, opening.store));
    openings.bare.push_back(bare);
    openings.warm.push_back(opening);
  }
  EVERFOLD_RETURN_IF_ERROR(AppendAndKill(directory, events + MoreEvents(events, rounds + 1)));
  EVERFOLD_RETURN_IF_ERROR(DropFromMemory(directory));
  EVERFOLD_ASSIGN_OR_RETURN(openings.cold, TimeOneOpen(directory));
  return openings;
}

void AddOpenings(Figures& figures, const std::string& name, const Openings& openings) {
  figures.Add({name, openings.Median(), "s", MedianOf(openings.bare), ValueAtMost(1)});
  figures.Add({name + ", slowest", openings.Slowest(), "s", std::nullopt, ValueAtMost(1)});
  figures.Add({name + ", files not in memory", openings.cold.all(), "s", std::nullopt, ValueAtMost(1)});
}

}  // namespace

absl::Status BenchOpen(Run& run) {
  run.figures.Section("open after kill -9 in the middle of load");
  const std::uint64_t events = run.options.events;
  EVERFOLD_ASSIGN_OR_RETURN(const std::string short_store, run.scratch.MakeDirectory("short"));
  EVERFOLD_ASSIGN_OR_RETURN(const Openings short_ones, KillAndOpen(short_store, events / 10, run.options.rounds));
  EVERFOLD_ASSIGN_OR_RETURN(const std::string long_store, run.scratch.MakeDirectory("main"));
  EVERFOLD_ASSIGN_OR_RETURN(const Openings long_ones, KillAndOpen(long_store, events, run.options.rounds));
  AddOpenings(run.figures, "open, a tenth as long", short_ones);
  AddOpenings(run.figures, "open", long_ones);
  run.figures.Add({.name = "open, against a log a tenth as long",
                   .value = long_ones.Median() / short_ones.Median(),
                   .unit = "times",
                   .goal = ValueAtMost(1.5)});
  run.figures.Remark(absl::StrFormat("with %d events. Ceiling: reading the journal, and RocksDB's own opening",
                                     long_ones.warm.back().events));
  return absl::OkStatus();
}

}  // namespace everfold::bench
