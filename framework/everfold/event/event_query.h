// Which events are meant: by type and by tag, as the specification of dynamic consistency boundaries words it
// (https://dcb.events/specification/). An append condition asks with it, and so do reads and subscriptions. Where they
// ask a store, a type stands for all events that are read as it (event/stored_names.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace everfold {

// Met by an event whose type is one of `types`, or any type if there are none, and that carries all of `tags`.
struct QueryItem {
  std::vector<std::string> types;  // full message names
  std::vector<std::string> tags;
  friend bool operator==(const QueryItem&, const QueryItem&) = default;
};

// Met by an event that meets at least one item; without items, by every event.
struct EventQuery {
  std::vector<QueryItem> items;

  bool all() const { return items.empty(); }
  friend bool operator==(const EventQuery&, const EventQuery&) = default;
};

inline constexpr std::size_t kMaxQueryItems = 100;
inline constexpr std::size_t kMaxTypesOfQueryItem = 100;
inline constexpr std::size_t kMaxTagsOfQueryItem = 20;

bool Matches(const QueryItem& item, std::string_view type, absl::Span<const std::string> tags);
bool Matches(const EventQuery& query, std::string_view type, absl::Span<const std::string> tags);

// INVALID_ARGUMENT, with the tag, for what no event can have as one; `of` says whose it is, "a query".
absl::Status ValidateTag(std::string_view tag, std::string_view of);

// INVALID_ARGUMENT, with the limit and the value, for a query beyond a limit (LIMIT_EXCEEDED), one that names types or
// tags that no event can have, or has an item without any of them (REQUEST_INVALID): it would mean every event, which a
// query without items says better.
absl::Status ValidateQuery(const EventQuery& query);

}  // namespace everfold
