// Where the next page of a list begins, as an opaque text: base64url (RFC 4648 section 5, no padding) of
//
//   varint 2, the format version
//   varint length and bytes of the read model's full message name
//   8 bytes of the digest of the question, which a token belongs to
//   for each column of the order: varint of the ColumnType, or 4 for NULL; then 8 bytes little endian for an integer or
//   a real, varint length and bytes for a text or a blob
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/query/list_query.h"

namespace everfold {

// A list as it was asked for: its pages belong together.
struct ListQuestion {
  const ReadModelSchema& schema;
  const std::vector<OrderTerm>& order;
  std::string_view filter;  // as they were sent
  std::string_view order_by;
};

// For the page behind the row with these values of the order's columns.
std::string EncodePageToken(const ListQuestion& question, const std::vector<ColumnValue>& after);
// INVALID_ARGUMENT for a text that is no token, or one of another read model, filter or order.
absl::StatusOr<std::vector<ColumnValue>> DecodePageToken(const ListQuestion& question, std::string_view text);

}  // namespace everfold
