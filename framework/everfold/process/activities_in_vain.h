// Activities whose last attempt was in vain, and that are tried again: how many, and why the last one of a kind was. Of
// an outside that is down many would tell; one of each kind does, once a minute.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/base/error_message.h"

namespace everfold {

// Threading: strand-bound.
class ActivitiesInVain {
 public:
  static constexpr absl::Duration kBetweenTold = absl::Minutes(1);

  void Add(const std::string& activity) { ++kinds_[activity].count; }
  // REQUIRES: it was added.
  void Remove(const std::string& activity) {
    Kind& kind = kinds_.at(activity);
    if (--kind.count == 0) kind.error = absl::OkStatus();
  }
  // None is; when each kind was told stays.
  void Clear() {
    for (auto& [name, kind] : kinds_) kind = {.told = kind.told};
  }

  // Of one that is in vain. True if it is to be told now.
  bool Note(const std::string& activity, const absl::Status& error, absl::Time now) {
    Kind& kind = kinds_.at(activity);
    kind.error = error;
    const bool is_soon = now >= kind.told && now < kind.told + kBetweenTold;
    if (!is_soon) kind.told = now;
    return !is_soon;
  }

  std::size_t count() const {
    std::size_t count = 0;
    for (const auto& [name, kind] : kinds_) count += kind.count;
    return count;
  }
  // Of the first kind that has one; it begins with the kind's name.
  absl::Status error() const {
    for (const auto& [name, kind] : kinds_) {
      if (kind.count > 0) return Annotate(name, kind.error);
    }
    return absl::OkStatus();
  }

 private:
  struct Kind {
    std::size_t count = 0;
    absl::Status error = {};  // of the last one
    absl::Time told = absl::InfinitePast();
  };
  std::map<std::string, Kind> kinds_;
};

}  // namespace everfold
