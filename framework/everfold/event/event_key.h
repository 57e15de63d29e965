// What events are held together by when one of them cannot be handled: those of one key stay in order, and wait for
// each other.
#pragma once

#include <cstddef>
#include <string>

#include "everfold/event/stream_id.h"

namespace everfold {

inline constexpr std::size_t kMaxKeyBytes = 500;

// The stream's key, for example "wallet/w1", and "tenant:wallet/w1" for a tenant's.
std::string KeyOfStream(const StreamId& stream);

// A key of a handler's, which may be any bytes, as at most kMaxKeyBytes of printable text. Different ones stay
// different.
std::string PrintableKey(const std::string& key);

// The words of a handler, which may be anything, as at most `max_bytes` of printable text. REQUIRES: max_bytes > 3.
std::string PrintableText(const std::string& text, std::size_t max_bytes);

}  // namespace everfold
