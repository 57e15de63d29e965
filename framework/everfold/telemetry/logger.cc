#include "everfold/telemetry/logger.h"

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace everfold {
namespace {

// Keeps UTF-8, so that names stay readable; a line break cannot forge a second line.
std::string Escaped(std::string_view text) {
  return absl::Utf8SafeCEscape(absl::string_view(text.data(), text.size()));
}

std::string QuotedWhereNeeded(std::string_view value) {
  const std::string escaped = Escaped(value);
  const bool plain = !value.empty() && escaped == value && value.find_first_of(" =") == std::string_view::npos;
  return plain ? escaped : "\"" + escaped + "\"";
}

}  // namespace

std::string_view ToString(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      break;
  }
  return "error";
}

std::string FormatLine(std::string_view message, std::span<const LogField> fields) {
  std::string line = Escaped(message);
  for (const LogField& field : fields) {
    line += " " + field.name + "=" + QuotedWhereNeeded(field.value);
  }
  return line;
}

}  // namespace everfold
