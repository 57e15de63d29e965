#include "everfold/command/state_loader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "everfold/base/digest.h"
#include "everfold/base/status.h"
#include "everfold/command/command_errors.h"
#include "everfold/event/fingerprint.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {

StateLoader::StateLoader(EventStore& store, const Clock& clock, SnapshotStore* snapshots, SnapshotOptions options,
                         const std::vector<AggregateType>& aggregates, CommandCounters& counters)
    : store_(store), clock_(clock), snapshots_(snapshots), options_(std::move(options)), counters_(counters) {
  const Epoch& epoch = store.log().identity().epoch;
  for (const AggregateType& aggregate : aggregates) keys_.emplace(aggregate.name, SnapshotKeyOf(aggregate, epoch));
}

absl::StatusOr<AggregateState> StateLoader::Load(const StreamId& stream, const AggregateType& aggregate) {
  counters_.Add(counters_.loaded);
  const absl::Time began = clock_.Now();
  EVERFOLD_ASSIGN_OR_RETURN(const Version head, store_.VersionOf(stream));
  AggregateState state{.version = Version(), .message = aggregate.NewState(), .snapshot = Version()};
  if (head == Version()) return state;
  StartFromSnapshot(stream, aggregate, head, state);
  if (state.version < head) EVERFOLD_RETURN_IF_ERROR(FoldOn(stream, aggregate, {.after = state.version}, state));
  if (state.snapshot > Version() && IsToBeChecked()) return Check(stream, aggregate, std::move(state));
  const bool was_slow = state.version > state.snapshot && clock_.Now() - began > options_.or_loaded_longer_than;
  if (IsDue(state) || (snapshots_ != nullptr && was_slow)) {
    Save(stream, aggregate, {state.version, state.message->SerializeAsString()});
    state.snapshot = state.version;
  }
  return state;
}

absl::StatusOr<AggregateState> StateLoader::LoadPast(const StreamId& stream, const AggregateType& aggregate,
                                                     const StreamRange& range) const {
  AggregateState state{.version = Version(), .message = aggregate.NewState(), .snapshot = Version()};
  EVERFOLD_RETURN_IF_ERROR(FoldOn(stream, aggregate, range, state));
  return state;
}

// From the empty state, if there is no snapshot of use. One that cannot be read is none.
void StateLoader::StartFromSnapshot(const StreamId& stream, const AggregateType& aggregate, Version head,
                                    AggregateState& state) {
  if (snapshots_ == nullptr) return;
  const absl::StatusOr<std::optional<Snapshot>> found = snapshots_->Find(stream, KeyOf(aggregate));
  if (!found.ok()) counters_.Add(counters_.snapshots_unreadable);
  if (!found.ok() || !found->has_value()) return;
  if ((*found)->version > head || !state.message->ParseFromString((*found)->state)) {
    snapshots_->Drop(stream);
    return state.message->Clear();
  }
  state.version = state.snapshot = (*found)->version;
  counters_.Add(counters_.loaded_from_snapshot);
}

absl::Status StateLoader::FoldOn(const StreamId& stream, const AggregateType& aggregate, const StreamRange& range,
                                 AggregateState& state) const {
  std::uint64_t events = 0;
  const absl::Status folded = store_.ReadStream(stream, range, [&](const RecordedEvent& event) -> absl::Status {
    ++events;
    state.version = event.version;
    const absl::Status evolved = aggregate.EvolveStored(*state.message, event.event.type, event.event.payload);
    return evolved.ok() ? evolved : AtEvent(evolved, event);
  });
  counters_.Add(counters_.events_folded, events);
  return folded;
}

bool StateLoader::IsToBeChecked() {
  const std::uint64_t count = from_snapshots_.fetch_add(1, std::memory_order_relaxed) + 1;
  return options_.check_every_loads > 0 && count % options_.check_every_loads == 0;
}

// A snapshot that is not what its events come to is of code that changed without a new revision.
absl::StatusOr<AggregateState> StateLoader::Check(const StreamId& stream, const AggregateType& aggregate,
                                                  AggregateState loaded) {
  counters_.Add(counters_.snapshots_checked);
  EVERFOLD_ASSIGN_OR_RETURN(AggregateState folded, LoadPast(stream, aggregate, {.upto = loaded.version}));
  if (DeterministicBytes(*folded.message) == DeterministicBytes(*loaded.message)) return loaded;
  counters_.Add(counters_.snapshots_wrong);
  snapshots_->Drop(stream);
  if (options_.on_wrong) options_.on_wrong(stream, loaded.snapshot);
  return folded;
}

void StateLoader::Save(const StreamId& stream, const AggregateType& aggregate, Snapshot snapshot) {
  snapshots_->Save(stream, KeyOf(aggregate), std::move(snapshot));
}

namespace {

// Their names and revisions, in one order.
std::string UpcastersOf(const AggregateType& aggregate) {
  std::vector<std::string> upcasters;
  for (const auto& [name, form] : aggregate.stored_forms) {
    upcasters.push_back(name + '\0' + std::to_string(form.upcast_revision) + '\0');
  }
  std::sort(upcasters.begin(), upcasters.end());
  return absl::StrJoin(upcasters, "");
}

}  // namespace

std::string SnapshotKeyOf(const AggregateType& aggregate, const Epoch& epoch) {
  std::string what = FingerprintOf(*aggregate.initial_state->GetDescriptor());
  what.push_back('\0');
  what += std::to_string(aggregate.revision);
  what.push_back('\0');
  what += UpcastersOf(aggregate);
  what += epoch.bytes;
  return Sha256(what);
}

std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace everfold
