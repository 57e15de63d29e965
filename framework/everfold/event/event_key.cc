#include "everfold/event/event_key.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "everfold/base/digest.h"
#include "everfold/base/status.h"

namespace everfold {

std::string KeyOfStream(const StreamId& stream) {
  if (stream.tenant.empty()) return stream.ToString();
  return absl::StrReplaceAll(stream.tenant, {{"%", "%25"}, {":", "%3A"}, {"/", "%2F"}}) + ":" + stream.ToString();
}

// No aggregate has a ':' in its name, so one in front of the first '/' ends a tenant.
absl::StatusOr<StreamId> StreamOfKey(const std::string& key) {
  const std::size_t colon = key.find(':');
  const bool has_tenant = colon != std::string::npos && colon < key.find('/');
  const std::string tenant = has_tenant ? key.substr(0, colon) : "";
  EVERFOLD_ASSIGN_OR_RETURN(StreamId stream,
                            ParseStreamId(has_tenant ? std::string_view(key).substr(colon + 1) : std::string_view(key),
                                          absl::StrReplaceAll(tenant, {{"%25", "%"}, {"%3A", ":"}, {"%2F", "/"}})));
  EVERFOLD_RETURN_IF_ERROR(ValidateStreamId(stream));
  return stream;
}

std::string PrintableKey(const std::string& key) {
  const std::string shown = IsPrintableUtf8(key) ? key : absl::CHexEscape(key);
  return shown.size() <= kMaxKeyBytes ? shown : "sha256:" + absl::BytesToHexString(Sha256(key));
}

std::string PrintableText(const std::string& text, std::size_t max_bytes) {
  if (text.size() <= max_bytes && IsPrintableUtf8(text)) return text;
  std::string shown = absl::CHexEscape(text.substr(0, max_bytes));
  if (shown.size() <= max_bytes - 3) return shown;
  return shown.substr(0, max_bytes - 3) + "...";
}

absl::Status PrintableError(const absl::Status& error, std::size_t max_bytes) {
  absl::Status shown(error.code(), PrintableText(std::string(error.message()), max_bytes));
  error.ForEachPayload([&shown](absl::string_view url, const absl::Cord& payload) { shown.SetPayload(url, payload); });
  return shown;
}

}  // namespace everfold
