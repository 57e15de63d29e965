// What events are held together by when one of them cannot be handled: those of one key stay in order, and wait for
// each other.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/stream_id.h"

namespace everfold {

inline constexpr std::size_t kMaxKeyBytes = 500;

// The stream's key, for example "wallet/w1", and "tenant:wallet/w1" for a tenant's. In the tenant ':', '/' and '%' are
// written as "%3A", "%2F" and "%25", so that different streams have different keys.
std::string KeyOfStream(const StreamId& stream);
// The stream of such a key. INVALID_ARGUMENT if it is none.
absl::StatusOr<StreamId> StreamOfKey(const std::string& key);

// A key of a handler's, which may be any bytes, as at most kMaxKeyBytes of printable text. Different ones stay
// different.
std::string PrintableKey(const std::string& key);

// The words of a handler, which may be anything, as at most `max_bytes` of printable text. REQUIRES: max_bytes > 3.
std::string PrintableText(const std::string& text, std::size_t max_bytes);
// The same error in such words, with its details.
absl::Status PrintableError(const absl::Status& error, std::size_t max_bytes);

}  // namespace everfold
