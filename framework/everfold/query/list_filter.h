// The filter of a list: what AIP-160 calls restrictions, joined by AND.
//
//   filter      = [restriction {"AND" restriction}]
//   restriction = field operator value
//   field       = name {"." name}
//   operator    = "=" | "!=" | "<" | "<=" | ">" | ">="
//   value       = text | word
//   text        = between " or ', in which \ stands before a quote or another \ that is meant
//   word        = letters, digits, "_", "-", "+", ":" and "."
//
//   customer_id = "c1" AND status = ORDER_STATUS_PAID AND placed_at >= "2026-01-01T00:00:00Z"
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/query/list_query.h"

namespace everfold {

inline constexpr std::size_t kMaxConditions = 50;

// Values are those of the field's type:
//   string         a text                      bytes      a text in base64
//   integers       a word in base 10           floats     a word; neither infinite nor NaN
//   bool           true or false               enums      a word: the value's name, or a number that has no name
//   Timestamp      a text or a word, RFC 3339 with up to nine digits of a second
// bool and enums compare by = and != only: their order says nothing.
//
//   INVALID_ARGUMENT  what is no filter, with the place; a field that is not declared, with those that are; a value
//   that
//                     is none of its type; more than kMaxListTextBytes or kMaxConditions (LIMIT_EXCEEDED)
absl::StatusOr<std::vector<Condition>> ParseFilter(const ReadModelSchema& schema, std::string_view text);

}  // namespace everfold
