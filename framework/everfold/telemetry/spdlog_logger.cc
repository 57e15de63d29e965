#include "everfold/telemetry/spdlog_logger.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>

namespace everfold {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

// The constructor that takes a file is for derived classes.
class FileSink final : public spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex> {
 public:
  explicit FileSink(std::FILE* file) : ansicolor_sink(file, spdlog::color_mode::automatic) {
    set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc));
  }
};

class SpdlogLogger final : public Logger {
 public:
  explicit SpdlogLogger(SpdlogOptions options) : logger_("everfold", std::make_shared<FileSink>(options.file)) {
    logger_.set_level(SpdlogLevel(options.least));
    logger_.flush_on(spdlog::level::trace);
  }

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (logger_.should_log(SpdlogLevel(level))) logger_.log(SpdlogLevel(level), FormatLine(message, fields));
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<Logger> MakeSpdlogLogger(SpdlogOptions options) { return std::make_unique<SpdlogLogger>(options); }

}  // namespace everfold
