// Where the next page of a list begins, as an opaque text: base64url (RFC 4648 section 5, no padding) of
//
//   varint 1, the format version
//   varint length and bytes of the read model's full message name
//   for each column of the key, in its order: varint of the ColumnType, then 8 bytes little endian for an integer or a
//   real, varint length and bytes for a text or a blob
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/row_key.h"

namespace everfold {

// For the page behind the row with this key.
std::string EncodePageToken(const ReadModelSchema& schema, const RowKey& key);
// INVALID_ARGUMENT for a text that is no token, or one of another read model.
absl::StatusOr<RowKey> DecodePageToken(const ReadModelSchema& schema, std::string_view text);

}  // namespace everfold
