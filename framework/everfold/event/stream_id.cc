#include "everfold/event/stream_id.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/utf8.h"

namespace everfold {
namespace {

bool IsAggregateName(std::string_view name) {
  if (name.starts_with('$')) name.remove_prefix(1);
  if (name.empty() || name.size() > kMaxAggregateNameBytes) return false;
  if (name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) return false;
  }
  return true;
}

// C0 and C1 controls and DEL; and what changes how the text around it reads: line and paragraph separators, and the
// marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode UAX #9).
bool IsControl(std::uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return true;
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string ShownText(std::string_view text) {
  constexpr std::size_t kMostShown = 100;
  const std::string shown = absl::CEscape(std::string(text.substr(0, kMostShown)));
  return "\"" + shown + (text.size() > kMostShown ? "...\"" : "\"");
}

std::string StreamId::ToString() const { return aggregate + "/" + id; }

bool IsPrintableUtf8(std::string_view text) {
  const auto is_ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
  text.remove_prefix(static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_ascii) - text.begin()));
  while (!text.empty()) {
    const std::uint32_t c = NextCodePoint(text);
    if (c == kInvalidCodePoint || IsControl(c)) return false;
  }
  return true;
}

absl::Status ValidateName(std::string_view text, std::size_t max_bytes, const char* what) {
  if (text.empty() || text.size() > max_bytes) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("%s must have 1 to %d bytes, it has %d", what, max_bytes, text.size()),
                 {{"limit", std::to_string(max_bytes)}, {"actual", std::to_string(text.size())}});
  }
  if (!IsPrintableUtf8(text)) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("%s must be printable UTF-8; its bytes are 0x%s", what, HexEncode(text)));
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamId> ParseStreamId(std::string_view text, std::string_view tenant) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 absl::StrFormat("a stream is named <aggregate>/<id>; %s has no '/'", ShownText(text)));
  }
  return StreamId{std::string(tenant), std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

absl::Status ValidateStreamId(const StreamId& stream) {
  if (!IsAggregateName(stream.aggregate)) {
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("an aggregate's name must match [a-z][a-z0-9_]{0,63}; it is %s", ShownText(stream.aggregate)));
  }
  EVERFOLD_RETURN_IF_ERROR(ValidateName(stream.id, kMaxIdBytes, "an id"));
  if (!stream.tenant.empty()) return ValidateName(stream.tenant, kMaxTenantBytes, "a tenant");
  return absl::OkStatus();
}

}  // namespace everfold
