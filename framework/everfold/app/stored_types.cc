#include "everfold/app/stored_types.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/app/type_file.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/type_description.h"

namespace everfold {
namespace {

using google::protobuf::Descriptor;

// The message that payloads are parsed as, by the name under which they are stored.
using Readers = absl::flat_hash_map<std::string, const Descriptor*>;

Readers ReadersOf(const std::vector<AggregateType>& aggregates) {
  Readers readers;
  for (const AggregateType& aggregate : aggregates) {
    for (const auto& [name, event] : aggregate.events) {
      if (event.descriptor != nullptr) readers.emplace(name, event.descriptor);
    }
    for (const auto& [name, form] : aggregate.stored_forms) {
      if (form.descriptor != nullptr) readers.emplace(name, form.descriptor);
    }
  }
  return readers;
}

constexpr char kOwnPackage[] = "everfold.v1.";  // decisions of operators, checkpoints of groups
constexpr std::size_t kMaxTypesTold = 10;

// Of all events and commands that the store has ever had.
std::set<EventType> AllTypesOf(const EventStore& store) {
  std::set<EventType> types;
  for (std::uint32_t i = 0; i < store.log().identity().partitions; ++i) {
    const TypeId last = store.types().LastId(PartitionId(i));
    for (TypeId id = 1; id <= last; ++id) types.insert(*store.types().Find(PartitionId(i), id));
  }
  return types;
}

std::set<std::string> NamesOf(const Parts& parts) {
  std::set<std::string> names;
  const auto add = [&names](const auto& by_name) {
    for (const auto& [name, type] : by_name) names.insert(name);
  };
  for (const AggregateType& aggregate : parts.aggregates) {
    add(aggregate.events);
    add(aggregate.stored_forms);
    add(aggregate.commands);
  }
  for (const BoundaryType& boundary : parts.boundaries) add(boundary.commands);
  for (const ProjectionType& projection : parts.projections) {
    add(projection.handlers);
    add(projection.stored_forms);
  }
  return names;
}

// What an application has written has a fingerprint. The rest, raw events and commands that may have been taken out,
// counts only where nothing else is known.
std::set<std::string> ForeignTypes(const std::set<EventType>& types, const std::set<std::string>& known,
                                   bool is_known) {
  std::set<std::string> foreign;
  for (const EventType& type : types) {
    if (known.contains(type.name) || type.name.starts_with(kOwnPackage)) continue;
    if (!is_known || !type.fingerprint.empty()) foreign.insert(type.name);
  }
  return foreign;
}

std::string Listed(const std::set<std::string>& names) {
  const std::size_t told = std::min(names.size(), kMaxTypesTold);
  const std::string list =
      absl::StrJoin(names.begin(), std::next(names.begin(), static_cast<std::ptrdiff_t>(told)), ", ");
  return told == names.size() ? list : absl::StrFormat("%s and %d more", list, names.size() - told);
}

// Descriptions that are kept, and those of the application's types.
class KnownTypes {
 public:
  explicit KnownTypes(v1::TypeDescriptions kept) : kept_(std::move(kept)) {
    for (const v1::TypeDescription& type : kept_.types()) known_.emplace(type.fingerprint(), &type);
  }

  // nullptr if it was not kept.
  const v1::TypeDescription* Find(const std::string& fingerprint) const {
    const auto found = known_.find(fingerprint);
    return found != known_.end() ? found->second : nullptr;
  }
  void Keep(const v1::TypeDescription& type) {
    if (known_.contains(type.fingerprint())) return;
    v1::TypeDescription& added = *kept_.add_types();
    added = type;
    known_.emplace(type.fingerprint(), &added);
    grown_ = true;
  }
  bool grown() const { return grown_; }
  const v1::TypeDescriptions& kept() const { return kept_; }

 private:
  v1::TypeDescriptions kept_;
  absl::flat_hash_map<std::string, const v1::TypeDescription*> known_;  // by fingerprint
  bool grown_ = false;
};

absl::Status Incompatible(const std::vector<std::string>& changes, const std::string& first_type) {
  std::string text = "the store has events that this binary would misread:";
  for (const std::string& change : changes) text += "\n  " + change;
  text += "\nOr declare the changed event as a new one, and have the old one upcast to it (upcast_to).";
  return Error(absl::StatusCode::kFailedPrecondition, reason::kIncompatibleType, text, {{"type", first_type}});
}

absl::Status Compare(const EventStore& store, const Readers& readers, const KnownTypes& known, Logger* logger) {
  std::vector<std::string> changes;
  std::string first_type;
  for (const auto& [name, fingerprint] : AllTypesOf(store)) {
    if (fingerprint.empty()) continue;
    const auto reader = readers.find(name);
    if (reader == readers.end()) continue;
    const v1::TypeDescription current = DescribeType(*reader->second);
    if (current.fingerprint() == fingerprint) continue;
    const v1::TypeDescription* stored = known.Find(fingerprint);
    if (stored == nullptr) {
      if (logger != nullptr) logger->Warning("an event type was changed, and how cannot be told", {{"type", name}});
      continue;
    }
    for (const std::string& change : IncompatibleChanges(*stored, current)) {
      if (changes.empty()) first_type = name;
      changes.push_back(absl::StrFormat("%s: %s", name, change));
    }
  }
  return changes.empty() ? absl::OkStatus() : Incompatible(changes, first_type);
}

}  // namespace

StoredNames StoredNamesOf(const std::vector<AggregateType>& aggregates) {
  StoredNames names;
  for (const AggregateType& aggregate : aggregates) {
    for (const auto& [name, form] : aggregate.stored_forms) names.Add(form.becomes, name);
  }
  return names;
}

void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ProjectionType>& projections) {
  for (ProjectionType& projection : projections) {
    for (const AggregateType& aggregate : aggregates) projection.AddStoredForms(aggregate);
  }
}

void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ReactorType>& reactors) {
  for (ReactorType& reactor : reactors) {
    for (const AggregateType& aggregate : aggregates) reactor.AddStoredForms(aggregate);
  }
}

void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ProcessType>& processes) {
  for (ProcessType& process : processes) {
    for (const AggregateType& aggregate : aggregates) process.AddStoredForms(aggregate);
  }
}

absl::Status CheckStoredTypes(const std::vector<AggregateType>& aggregates, const EventStore& store, Files& files,
                              const std::string& path, Logger* logger) {
  const Readers readers = ReadersOf(aggregates);
  EVERFOLD_ASSIGN_OR_RETURN(v1::TypeDescriptions kept, ReadTypeFile(files, path));
  KnownTypes known(std::move(kept));
  EVERFOLD_RETURN_IF_ERROR(Compare(store, readers, known, logger));
  for (const auto& [name, descriptor] : readers) known.Keep(DescribeType(*descriptor));
  return known.grown() ? WriteTypeFile(files, path, known.kept()) : absl::OkStatus();
}

void WarnOfForeignTypes(const Parts& parts, const EventStore& store, Logger& logger) {
  const std::set<std::string> known = NamesOf(parts);
  const std::set<EventType> types = AllTypesOf(store);
  const bool is_known =
      std::any_of(types.begin(), types.end(), [&known](const EventType& type) { return known.contains(type.name); });
  const std::set<std::string> foreign = ForeignTypes(types, known, is_known);
  if (foreign.empty()) return;
  logger.Warning(is_known ? "the store has events of types that this application does not have"
                          : "the store has events, and none of this application; is this its data directory?",
                 {{"types", Listed(foreign)}});
}

}  // namespace everfold
