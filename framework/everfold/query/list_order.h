// The order of a list, as AIP-132 has it: "placed_at desc, order_id".
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/query/list_query.h"

namespace everfold {

// Fields that are declared, each once, and behind each `asc` (which goes without saying) or `desc`. The empty text is
// the order of the key. What the text does not name of the key is added, in the direction of the last term, so that the
// order is total.
//   INVALID_ARGUMENT  what is no order, with the place; a field that is none, with those that there are; one that is
//                     named twice; more than kMaxListTextBytes (LIMIT_EXCEEDED)
absl::StatusOr<std::vector<OrderTerm>> ParseOrder(const ReadModelSchema& schema, std::string_view text);

}  // namespace everfold
