// "Read your writes": the positions of a write, as an opaque text that a caller carries from a receipt to a query.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"

namespace everfold {

struct ConsistencyToken {
  Epoch epoch;
  std::vector<Position> positions;  // the last event in each partition that the write touched
  Sequence sequence = {};           // of the write's commit; 0 where the token is for what is durable, and for no write
  friend bool operator==(const ConsistencyToken&, const ConsistencyToken&) = default;
};

// base64url (RFC 4648 section 5, no padding) of everfold.v1.ConsistencyToken.
std::string EncodeToken(const ConsistencyToken& token);
// INVALID_ARGUMENT for a text that no EncodeToken made.
absl::StatusOr<ConsistencyToken> DecodeToken(std::string_view text);

}  // namespace everfold
