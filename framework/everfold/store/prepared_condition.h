// An append condition on its way to the committer: what the caller's thread has found out already, and what the
// committer needs to find out the rest.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "everfold/store/append_condition.h"
#include "everfold/store/index/name_key.h"
#include "everfold/store/store_index.h"

namespace everfold {

// A QueryItem by keys.
struct KeyedItem {
  std::vector<NameKey> types;
  std::vector<NameKey> tags;
};

struct PreparedCondition {
  AppendCondition condition;
  std::vector<KeyedItem> items;
  NameKey tenant;
  Sequence checked;                  // no commit up to it matters any more
  std::optional<TaggedEvent> match;  // found already: the append fails, unless it repeats an earlier one
};

PreparedCondition PrepareCondition(AppendCondition condition, std::string_view tenant);

// Compares the condition with what the index has, which holds every commit up to `durable`, on the caller's thread: the
// committer is left with the commits since. INVALID_ARGUMENT (REQUEST_INVALID) for a condition after a sequence that is
// not durable; errors of the index.
absl::Status CompareWithIndex(PreparedCondition& condition, std::string_view tenant, const StoreIndex& index,
                              Sequence durable);

// ABORTED (CONDITION_FAILED), with what matched.
absl::Status ConditionFailed(const PreparedCondition& condition, const TaggedEvent& match);

}  // namespace everfold
