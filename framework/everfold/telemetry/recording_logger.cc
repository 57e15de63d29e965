#include "everfold/telemetry/recording_logger.h"

namespace everfold {

void RecordingLogger::Write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  MutexLock lock(&mutex_);
  lines_.push_back({level, std::string(message), {fields.begin(), fields.end()}});
}

std::vector<RecordingLogger::Line> RecordingLogger::lines() const {
  MutexLock lock(&mutex_);
  return lines_;
}

}  // namespace everfold
