#include "everfold/event/event_key.h"

#include "absl/strings/escaping.h"
#include "everfold/base/digest.h"

namespace everfold {

std::string KeyOfStream(const StreamId& stream) {
  return stream.tenant.empty() ? stream.ToString() : stream.tenant + ":" + stream.ToString();
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

}  // namespace everfold
