// The logger of production, by spdlog:
//
//   2026-01-01T12:00:00.123Z info store opened partitions=16
#pragma once

#include <cstdio>
#include <memory>

#include "everfold/telemetry/logger.h"

namespace everfold {

struct SpdlogOptions {
  LogLevel least = LogLevel::kInfo;  // lines below it are dropped
  std::FILE* file = stderr;          // not owned; lines are coloured if it is a terminal
};

// Times are UTC. Every line is flushed. Lifetime: the file outlives it.
std::unique_ptr<Logger> MakeSpdlogLogger(SpdlogOptions options = {});

}  // namespace everfold
