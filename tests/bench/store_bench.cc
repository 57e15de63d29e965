// store_bench: how fast the store is, and how far that is from what the machine could do. `--help` tells the rest.
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/bench_main.h"
#include "tests/bench/child.h"

namespace everfold::bench {
namespace {

// The verbs of the other processes of a run.
std::optional<absl::Status> RunVerb(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  if (arguments[0] == kAppendVerb) return AppendUntilKilled(arguments[1]);
  if (arguments[0] == kOpenVerb) return TimeOpen(arguments[1]);
  return std::nullopt;
}

int Main(int argc, char** argv) {
  if (const auto done = RunVerb({argv + 1, argv + argc}); done.has_value()) return Report(*done);
  const BenchProgram program{
      .name = "tools/bench store",
      .description = "Measures the store, each figure beside what bare means reach in the same run.",
      .parts = {{"append", BenchAppends},
                {"sustained", BenchSustained},
                {"replay", BenchReplay},
                {"subscription", BenchSubscriptions},
                {"disk", BenchDisk},
                {"open", BenchOpen},
                {"rpc", BenchRpc}},
      .long_part = Part{"long", BenchLong}};
  return BenchMain(program, argc, argv);
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
