// What a component tells about itself: a message and named values.
//
//   logger.Info("store opened", {{"partitions", "16"}});
//
// Messages are constant and lower case; what varies is a field, so that lines can be found and counted. Secrets and
// payloads are never fields.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace everfold {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::string_view ToString(LogLevel level);  // "debug", "info", "warning", "error"

struct LogField {
  std::string name;
  std::string value;
  friend bool operator==(const LogField&, const LogField&) = default;
};

// Threading: implementations are thread-safe. Errors: none; a line that cannot be written is lost.
class Logger {
 public:
  using Fields = std::initializer_list<LogField>;

  virtual ~Logger() = default;

  void Debug(std::string_view message, Fields fields = {}) { Write(LogLevel::kDebug, message, fields); }
  void Info(std::string_view message, Fields fields = {}) { Write(LogLevel::kInfo, message, fields); }
  void Warning(std::string_view message, Fields fields = {}) { Write(LogLevel::kWarning, message, fields); }
  void Error(std::string_view message, Fields fields = {}) { Write(LogLevel::kError, message, fields); }

  virtual void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) = 0;
};

// Says nothing.
class NullLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

// "store opened partitions=16 directory=\"my data\"": one line whatever the values hold. A value is quoted where it is
// empty or holds a blank, a quote or a '='; control characters and invalid bytes are escaped as C does.
std::string FormatLine(std::string_view message, std::span<const LogField> fields);

}  // namespace everfold
