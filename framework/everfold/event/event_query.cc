#include "everfold/event/event_query.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/event_limits.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

absl::Status ValidateItem(const QueryItem& item) {
  if (item.types.empty() && item.tags.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "an item of a query names a type or a tag; a query without items means every event");
  }
  EVERFOLD_RETURN_IF_ERROR(AtMost("types of a query's item", kMaxTypesOfQueryItem, item.types.size()));
  EVERFOLD_RETURN_IF_ERROR(AtMost("tags of a query's item", kMaxTagsOfQueryItem, item.tags.size()));
  for (const std::string& type : item.types) {
    EVERFOLD_RETURN_IF_ERROR(ValidateName(type, kMaxEventTypeBytes, "an event's type"));
  }
  for (const std::string& tag : item.tags) EVERFOLD_RETURN_IF_ERROR(ValidateTag(tag, "a query"));
  return absl::OkStatus();
}

}  // namespace

bool Matches(const QueryItem& item, std::string_view type, absl::Span<const std::string> tags) {
  const bool type_fits =
      item.types.empty() || std::find(item.types.begin(), item.types.end(), type) != item.types.end();
  return type_fits && std::all_of(item.tags.begin(), item.tags.end(), [&tags](const std::string& tag) {
           return std::find(tags.begin(), tags.end(), tag) != tags.end();
         });
}

bool Matches(const EventQuery& query, std::string_view type, absl::Span<const std::string> tags) {
  return query.all() || std::any_of(query.items.begin(), query.items.end(),
                                    [&](const QueryItem& item) { return Matches(item, type, tags); });
}

absl::Status ValidateTag(std::string_view tag, std::string_view of) {
  if (ValidateName(tag, kMaxTagBytes, "a tag").ok()) return absl::OkStatus();
  return ValidateName(tag, kMaxTagBytes, absl::StrFormat("the tag %s of %s", ShownText(tag), of).c_str());
}

absl::Status ValidateQuery(const EventQuery& query) {
  EVERFOLD_RETURN_IF_ERROR(AtMost("items of a query", kMaxQueryItems, query.items.size()));
  for (const QueryItem& item : query.items) EVERFOLD_RETURN_IF_ERROR(ValidateItem(item));
  return absl::OkStatus();
}

}  // namespace everfold
