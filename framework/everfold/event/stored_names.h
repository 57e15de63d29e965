// Under which names the events of a type are stored beside its own: names that it had before, and events that it
// supersedes. A query by a type's name means all events that are read as it, so readers and append conditions ask for
// those names as well.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "everfold/event/event_query.h"

namespace everfold {

// Threading: thread-compatible; immutable once filled.
class StoredNames {
 public:
  // Events that are stored as `stored` are read as `type`. Both are full message names.
  void Add(const std::string& type, const std::string& stored) { names_[type].push_back(stored); }

  // Each item that names a type asks for its other names, too. A query may thus come to have more types than
  // ValidateQuery allows, which is for the ones that callers write.
  void AddTo(EventQuery& query) const;

 private:
  absl::flat_hash_map<std::string, std::vector<std::string>> names_;  // by type
};

}  // namespace everfold
