#include "everfold/app/verify_read_models.h"

#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/app/engine.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/stored_types.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/rpc/projection_client.h"
#include "everfold/rpc/projection_message.h"

namespace everfold {
namespace {

absl::Status Judged(std::size_t findings) {
  if (findings == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged,
               "read models are not what the log says; build them anew with `rebuild`");
}

absl::Status VerifyEach(const Parts& parts, const EventStore& store, const std::string& directory, Executor& executor) {
  std::size_t findings = 0;
  for (const ProjectionType& type : parts.projections) {
    const absl::StatusOr<VerifiedReadModel> verified = VerifyReadModel(PosixFiles(), directory, type, store, &executor);
    if (ReasonOf(verified.status()) == reason::kReadModelDamaged) {
      absl::PrintF("found: read model %s: %s\n", type.name, verified.status().message());
      ++findings;
      continue;
    }
    EVERFOLD_RETURN_IF_ERROR(verified.status());
    absl::PrintF("%s", FormatReadModel(*verified));
    findings += verified->findings.size();
  }
  return Judged(findings);
}

}  // namespace

absl::Status VerifyReadModels(Host& host, Parts parts, const std::string& data_directory) {
  EventStoreOptions options = host.store_options();
  options.stored_names = StoredNamesOf(parts.aggregates);
  AddStoredForms(parts.aggregates, parts.projections);
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<EventStore> store,
                            EventStore::Open(options, host.log(), host.executor(), host.clock(), host.random()));
  const absl::Status status = VerifyEach(parts, *store, data_directory + "/read", host.executor());
  WaitForClose([&store](Task done) { store->Close(std::move(done)); });
  return status;
}

absl::Status VerifyReadModelsAt(const std::string& address) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto client, ProjectionClient::Open(address));
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ProjectionInfo> projections, client->List());
  std::size_t findings = 0;
  for (const v1::ProjectionInfo& projection : projections) {
    VerifiedReadModel verified;
    {
      VerbProgressBar bar("events");
      EVERFOLD_ASSIGN_OR_RETURN(
          const v1::VerifiedProjection answer,
          client->Verify(projection.name(), [&bar](auto done, auto total) { bar.Update(done, total); }));
      verified = VerifiedOf(projection.name(), answer);
    }
    absl::PrintF("%s", FormatReadModel(verified));
    findings += verified.findings.size();
  }
  return Judged(findings);
}

std::string FormatReadModel(const VerifiedReadModel& verified) {
  if (verified.version == 0) return absl::StrFormat("read model %s: not built yet\n", verified.projection);
  std::string text =
      absl::StrFormat("read model %s: version %d, %s applied, %s parked, %s dropped", verified.projection,
                      verified.version, Counted(verified.tally.applied.count, "event"),
                      Grouped(verified.tally.parked.count), Grouped(verified.tally.dropped.count));
  if (verified.other_code) return text + "; built by other code, and not compared with the log\n";
  if (verified.findings.empty()) return text + ", as the log has them\n";
  text += "\n";
  for (const std::string& finding : verified.findings) text += "found: " + finding + "\n";
  return text;
}

}  // namespace everfold
