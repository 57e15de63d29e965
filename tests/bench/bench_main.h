// The command line of a benchmark: parts that are run one after the other, and a table of figures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/bench_run.h"

namespace everfold::bench {

struct Part {
  const char* name;
  absl::Status (*run)(Run&);
};

struct BenchProgram {
  std::string name;         // as it is called: "tools/bench store"
  std::string description;  // one line
  std::vector<Part> parts;
  std::optional<Part> long_part = {};  // run only when asked for
};

// 0 if everything could be measured, whether goals hold or not; 1 otherwise; 2 for wrong usage.
int BenchMain(const BenchProgram& program, int argc, char** argv);

// What a failure means for the exit code; says why on stderr.
int Report(const absl::Status& status);

}  // namespace everfold::bench
