#include "everfold/projection/verify_read_model.h"

#include <limits>
#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/base/counted.h"
#include "everfold/base/status.h"
#include "everfold/projection/event_handling.h"
#include "everfold/projection/read_model_manifest.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

constexpr std::size_t kEventsAPull = 100'000;

std::string Shown(const EventTally& tally) {
  return absl::StrFormat("%s (digest %s)", Counted(tally.count, "event"), tally.Hex());
}

absl::StatusOr<std::vector<EventTally>> TallyOfLog(const ProjectionType& type, const EventStore& store,
                                                   const Checkpoint& upto, OnVerifyProgress on_progress,
                                                   Executor* read_ahead) {
  std::vector<EventTally> tallies(upto.offsets.size());
  SubscriptionOptions options = SubscriptionOf(type);
  options.upto = upto;
  options.read_ahead = read_ahead;
  EVERFOLD_ASSIGN_OR_RETURN(const auto subscription, Subscription::Start(store, BeginningOf(store), options));
  for (PullResult pulled; !pulled.caught_up;) {
    EVERFOLD_ASSIGN_OR_RETURN(pulled, subscription->Pull(kEventsAPull, [&tallies](const RecordedEvent& event) {
      tallies[event.position.partition.value()] += TallyOf(event);
      return absl::OkStatus();
    }));
    EVERFOLD_RETURN_IF_ERROR(on_progress(EventsBefore(subscription->checkpoint())));
  }
  return tallies;
}

// The tally of what is kept of parked events.
absl::StatusOr<std::vector<EventTally>> TallyOfParked(ReadModelFile& file) {
  std::vector<EventTally> tallies(file.tallies().size());
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<ParkedKey> keys, file.parked().Keys());
  for (const ParkedKey& key : keys) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<ParkedEvent> events,
                              file.parked().EventsOf(key.key, std::numeric_limits<std::int32_t>::max()));
    for (const ParkedEvent& event : events) tallies[event.position.partition.value()] += event.tally;
  }
  return tallies;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> VerifyTallies(const ProjectionType& type, const EventStore& store,
                                                       const Checkpoint& checkpoint,
                                                       const std::vector<PartitionTally>& tallies,
                                                       OnVerifyProgress on_progress, Executor* read_ahead) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<EventTally> log,
                            TallyOfLog(type, store, checkpoint, on_progress, read_ahead));
  std::vector<std::string> findings;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (tallies[i].All() == log[i]) continue;
    findings.push_back(absl::StrFormat(
        "projection %s: of partition %d up to offset %d the log has %s for it; applied are %s, parked %s, dropped %s",
        type.name, i, checkpoint.offsets[i].value(), Shown(log[i]), Shown(tallies[i].applied), Shown(tallies[i].parked),
        Shown(tallies[i].dropped)));
  }
  return findings;
}

absl::StatusOr<VerifiedReadModel> VerifyReadModel(Files& files, const std::string& directory,
                                                  const ProjectionType& type, const EventStore& store,
                                                  Executor* read_ahead) {
  VerifiedReadModel verified{.projection = type.name};
  EVERFOLD_ASSIGN_OR_RETURN(const ReadModelManifest manifest,
                            ReadModelManifest::Read(files, directory + "/" + type.name));
  verified.version = manifest.versions().current;
  if (verified.version == 0 || !files.Exists(manifest.PathOf(verified.version))) {
    verified.version = 0;
    return verified;
  }
  EVERFOLD_ASSIGN_OR_RETURN(const auto file,
                            ReadModelFile::Open(manifest.PathOf(verified.version), type, BeginningOf(store)));
  for (const PartitionTally& tally : file->tallies()) {
    verified.tally.applied += tally.applied;
    verified.tally.parked += tally.parked;
    verified.tally.dropped += tally.dropped;
  }
  verified.other_code = file->fit() != ReadModelFile::Fit::kCurrent;
  if (verified.other_code) return verified;
  const auto untold = [](std::uint64_t) { return absl::OkStatus(); };
  EVERFOLD_ASSIGN_OR_RETURN(verified.findings,
                            VerifyTallies(type, store, file->checkpoint(), file->tallies(), untold, read_ahead));
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<EventTally> parked, TallyOfParked(*file));
  for (std::size_t i = 0; i < parked.size(); ++i) {
    if (parked[i] == file->tallies()[i].parked) continue;
    verified.findings.push_back(absl::StrFormat("projection %s: of partition %d %s are kept as parked, and counted %s",
                                                type.name, i, Shown(parked[i]), Shown(file->tallies()[i].parked)));
  }
  return verified;
}

}  // namespace everfold
