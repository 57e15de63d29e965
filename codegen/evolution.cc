#include "codegen/evolution.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace everfold::codegen {
namespace {

bool IsIdentifier(absl::string_view part) {
  const auto letter = [](char c) { return absl::ascii_isalpha(c) || c == '_'; };
  return !part.empty() && letter(part.front()) &&
         std::all_of(part.begin(), part.end(), [&](char c) { return letter(c) || absl::ascii_isdigit(c); });
}

bool IsFullName(const std::string& name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  return std::all_of(parts.begin(), parts.end(), IsIdentifier);
}

// Earlier names of the file's events, and who has them.
class EarlierNames {
 public:
  EarlierNames(const pb::FileDescriptor& file, Problems& problems) : file_(file), problems_(problems) {}

  void Add(const Event& event) {
    for (const std::string& name : event.was) Add(*event.message, name);
  }

 private:
  void Add(const pb::Descriptor& event, const std::string& name) {
    const auto refuse = [&](const std::string& why) {
      problems_.Add(event, absl::StrFormat("%s was '%s', %s", event.name(), name, why));
    };
    const auto [other, is_new] = names_.try_emplace(name, &event);
    if (!IsFullName(name)) {
      refuse("which is no full name of a message; write it with its package, as \"shop.v1.OrderPlaced\"");
    } else if (!is_new) {
      refuse(absl::StrFormat("and so was %s; remove one", other->second->name()));
    } else if (file_.pool()->FindMessageTypeByName(name) != nullptr) {
      refuse("which is a message still; events stored under that name are read as that one. Remove one of the two");
    }
  }

  const pb::FileDescriptor& file_;
  Problems& problems_;
  std::map<std::string, const pb::Descriptor*> names_;
};

const v1::EventOptions& OptionsOf(const Event& event) {
  return event.message->options().GetExtension(v1::message).event();
}

// The event of the aggregate, also a superseded one, with this name.
const Event* FindEvent(const Aggregate& aggregate, const std::string& name) {
  for (const std::vector<Event>* events : {&aggregate.events, &aggregate.superseded}) {
    for (const Event& event : *events) {
      if (event.message->name() == name || event.message->full_name() == name) return &event;
    }
  }
  return nullptr;
}

// True if one comes from the event to itself by upcasts.
bool IsInCircle(const Aggregate& aggregate, const Event& event) {
  std::set<const pb::Descriptor*> seen;
  for (const Event* at = &event; at != nullptr && at->upcast_to != nullptr;) {
    if (!seen.insert(at->message).second) return true;
    at = FindEvent(aggregate, at->upcast_to->full_name());
  }
  return false;
}

void ReadUpcasts(Aggregate& aggregate, Problems& problems) {
  for (Event& event : aggregate.superseded) {
    const std::string& name = OptionsOf(event).upcast_to();
    const Event* next = FindEvent(aggregate, name);
    if (next != nullptr) {
      event.upcast_to = next->message;
      continue;
    }
    problems.Add(*event.message, absl::StrFormat("%s is upcast to '%s', which is no event of %s; name one",
                                                 event.message->name(), name, aggregate.message->name()));
  }
  for (const Event& event : aggregate.superseded) {
    if (!IsInCircle(aggregate, event)) continue;
    problems.Add(*event.message, absl::StrFormat("%s is upcast to itself in the end; name an event that is emitted",
                                                 event.message->name()));
  }
}

}  // namespace

void ReadEvolution(Domain& domain, Problems& problems) {
  EarlierNames names(*domain.file, problems);
  for (Aggregate& aggregate : domain.aggregates) {
    ReadUpcasts(aggregate, problems);
    for (const Event& event : aggregate.superseded) names.Add(event);
    for (const Event& event : aggregate.events) {
      names.Add(event);
      if (OptionsOf(event).upcast_revision() == 0) continue;
      problems.Add(*event.message,
                   absl::StrFormat("%s has an upcast_revision, but is not upcast; remove it, or name the "
                                   "event with upcast_to",
                                   event.message->name()));
    }
  }
}

}  // namespace everfold::codegen
