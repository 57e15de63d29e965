// projection_bench: how fast read models are built, and how soon they show what was acknowledged. `--help` tells the
// rest.
#include "tests/bench/bench_main.h"

namespace everfold::bench {
namespace {

int Main(int argc, char** argv) {
  const BenchProgram program{
      .name = "tools/bench projection",
      .description = "Measures projections, each figure beside what bare means reach in the same run.",
      .parts = {{"rebuild", BenchRebuild}, {"live", BenchVisibility}}};
  return BenchMain(program, argc, argv);
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
