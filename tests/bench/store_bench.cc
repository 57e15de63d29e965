// store_bench: how fast the store is, and how far that is from what the machine could do. `--help` tells the rest.
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/child.h"

namespace everfold::bench {
namespace {

struct CommandLine {
  std::string json;
  std::string only;
  std::string data = ".";
  std::uint64_t events = 0;  // 0: as many as the size of the run has
  bool quick = false;
  bool with_long = false;
};

struct Part {
  const char* name;
  absl::Status (*run)(Run&);
};

constexpr Part kParts[] = {
    {"append", BenchAppends}, {"sustained", BenchSustained},
    {"replay", BenchReplay},  {"subscription", BenchSubscriptions},
    {"disk", BenchDisk},      {"open", BenchOpen},
    {"rpc", BenchRpc},
};
constexpr Part kLongPart = {"long", BenchLong};

RunOptions OptionsOf(const CommandLine& line) {
  RunOptions options;
  if (line.quick)
    options = {
        .quick = true, .events = 300'000, .rounds = 1, .round = absl::Milliseconds(100), .long_events = 1'000'000};
  if (line.events > 0) options.events = line.events;
  if (line.events > 0) options.long_events = line.events;
  return options;
}

std::vector<Part> PartsOf(const CommandLine& line) {
  std::vector<Part> parts;
  for (const Part& part : kParts) {
    if (line.only.empty() || line.only == part.name) parts.push_back(part);
  }
  if (line.only == kLongPart.name || (line.only.empty() && line.with_long)) parts.push_back(kLongPart);
  return parts;
}

absl::Status RunParts(const CommandLine& line) {
  EVERFOLD_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(line.data));
  Figures figures(std::cout, /*judges=*/!line.quick);
  Run run{.options = OptionsOf(line), .scratch = scratch, .figures = figures};
  for (const Part& part : PartsOf(line)) EVERFOLD_RETURN_IF_ERROR(part.run(run));
  std::cout << "\n" << figures.Summary();
  return line.json.empty() ? absl::OkStatus() : figures.WriteJson(line.json);
}

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << "store_bench: " << status.ToString() << "\n";
  return 1;
}

// The verbs of the other processes of a run.
std::optional<absl::Status> RunVerb(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  if (arguments[0] == kAppendVerb) return AppendUntilKilled(arguments[1]);
  if (arguments[0] == kOpenVerb) return TimeOpen(arguments[1]);
  return std::nullopt;
}

void Declare(CLI::App& command, CommandLine& line) {
  command.add_option("--json", line.json, "also write the figures to this file");
  command.add_flag("--quick", line.quick, "smaller numbers, less than a minute, and no verdict on goals");
  command.add_flag("--long", line.with_long, "also a log of a hundred million events: 20 GB, several minutes");
  command.add_option("--only", line.only, "one part")
      ->check(CLI::IsMember({"append", "sustained", "replay", "subscription", "disk", "open", "rpc", "long"}));
  command.add_option("--events", line.events, "in the store of every part but `append`; default: 10 million");
  command.add_option("--data", line.data, "where a directory for the files is made, and removed again")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  command.footer(
      "Ends with 0 if everything could be measured, whether goals hold or not; 1 otherwise; 2 for wrong usage.");
}

}  // namespace

void Progress(const std::string& text) { std::cerr << "  " << text << std::endl; }

int Main(int argc, char** argv) {
  if (const auto done = RunVerb({argv + 1, argv + argc}); done.has_value()) return Report(*done);
  CommandLine line;
  CLI::App command("Measures the store, each figure beside what bare means reach in the same run.",
                   "tools/bench store");
  Declare(command, line);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  return Report(RunParts(line));
}

}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
