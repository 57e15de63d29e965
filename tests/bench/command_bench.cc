// command_bench: how fast commands are decided, and how far that is from what the store and gRPC alone could do.
// `--help` tells the rest.
#include "tests/bench/bench_main.h"

namespace everfold::bench {
namespace {

int Main(int argc, char** argv) {
  const BenchProgram program{
      .name = "tools/bench command",
      .description = "Measures commands, each figure beside what bare means reach in the same run.",
      .parts = {{"decide", BenchDecide},
                {"load", BenchLoads},
                {"pipeline", BenchPipeline},
                {"rpc", BenchCommandRpc},
                {"latency", BenchCommandLatency},
                {"overload", BenchOverload}}};
  return BenchMain(program, argc, argv);
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }
