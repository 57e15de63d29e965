#include "tests/bench/bench_main.h"

#include <iostream>

#include "CLI/CLI.hpp"
#include "everfold/base/allocator_settings.h"  // of the benchmark
#include "everfold/base/status.h"

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

RunOptions OptionsOf(const CommandLine& line) {
  RunOptions options;
  if (line.quick) {
    options = {
        .quick = true, .events = 300'000, .rounds = 1, .round = absl::Milliseconds(100), .long_events = 1'000'000};
  }
  if (line.events > 0) options.events = line.events;
  if (line.events > 0) options.long_events = line.events;
  return options;
}

std::vector<Part> PartsOf(const BenchProgram& program, const CommandLine& line) {
  std::vector<Part> parts;
  for (const Part& part : program.parts) {
    if (line.only.empty() || line.only == part.name) parts.push_back(part);
  }
  if (program.long_part.has_value()) {
    const bool wanted = line.only.empty() ? line.with_long : line.only == program.long_part->name;
    if (wanted) parts.push_back(*program.long_part);
  }
  return parts;
}

absl::Status RunParts(const BenchProgram& program, const CommandLine& line) {
  EVERFOLD_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(line.data));
  Figures figures(std::cout, /*judges=*/!line.quick);
  Run run{.options = OptionsOf(line), .scratch = scratch, .figures = figures};
  for (const Part& part : PartsOf(program, line)) EVERFOLD_RETURN_IF_ERROR(part.run(run));
  std::cout << "\n" << figures.Summary();
  return line.json.empty() ? absl::OkStatus() : figures.WriteJson(line.json);
}

std::vector<std::string> NamesOf(const BenchProgram& program) {
  std::vector<std::string> names;
  for (const Part& part : program.parts) names.emplace_back(part.name);
  if (program.long_part.has_value()) names.emplace_back(program.long_part->name);
  return names;
}

void Declare(const BenchProgram& program, CLI::App& command, CommandLine& line) {
  command.add_option("--json", line.json, "also write the figures to this file");
  command.add_flag("--quick", line.quick, "smaller numbers, less than a minute, and no verdict on goals");
  if (program.long_part.has_value()) {
    command.add_flag("--long", line.with_long, "also a log of a hundred million events: 20 GB, several minutes");
  }
  command.add_option("--only", line.only, "one part")->check(CLI::IsMember(NamesOf(program)));
  command.add_option("--events", line.events, "in the parts that fill a store; default: 10 million");
  command.add_option("--data", line.data, "where a directory for the files is made, and removed again")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  command.footer(
      "Ends with 0 if everything could be measured, whether goals hold or not; 1 otherwise; 2 for wrong usage.");
}

}  // namespace

void Progress(const std::string& text) { std::cerr << "  " << text << std::endl; }

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << "bench: " << status.ToString() << "\n";
  return 1;
}

int BenchMain(const BenchProgram& program, int argc, char** argv) {
  CommandLine line;
  CLI::App command(program.description, program.name);
  Declare(program, command, line);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  return Report(RunParts(program, line));
}

}  // namespace everfold::bench
