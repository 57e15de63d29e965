// A logger that remembers, for tests.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

// Threading: thread-safe.
class RecordingLogger final : public Logger {
 public:
  struct Line {
    LogLevel level;
    std::string message;
    std::vector<LogField> fields;
    friend bool operator==(const Line&, const Line&) = default;
  };

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override;
  std::vector<Line> lines() const;

 private:
  mutable Mutex mutex_;
  std::vector<Line> lines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
