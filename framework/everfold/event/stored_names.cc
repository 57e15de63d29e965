#include "everfold/event/stored_names.h"

#include <algorithm>

namespace everfold {

void StoredNames::AddTo(EventQuery& query) const {
  if (names_.empty()) return;
  for (QueryItem& item : query.items) {
    const std::size_t asked = item.types.size();
    for (std::size_t i = 0; i < asked; ++i) {
      const auto found = names_.find(item.types[i]);
      if (found == names_.end()) continue;
      for (const std::string& name : found->second) {
        if (std::find(item.types.begin(), item.types.end(), name) == item.types.end()) item.types.push_back(name);
      }
    }
  }
}

}  // namespace everfold
