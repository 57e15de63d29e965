#include "everfold/rpc/projection_message.h"

#include "everfold/base/timestamp.h"
#include "everfold/rpc/duration_message.h"
#include "everfold/rpc/status.h"

namespace everfold {
namespace {

v1::ProjectionState StateMessage(ProjectionState state) {
  switch (state) {
    case ProjectionState::kRunning:
      return v1::PROJECTION_STATE_RUNNING;
    case ProjectionState::kStale:
      return v1::PROJECTION_STATE_STALE;
    case ProjectionState::kDamaged:
      return v1::PROJECTION_STATE_DAMAGED;
    case ProjectionState::kPaused:
      return v1::PROJECTION_STATE_PAUSED;
    case ProjectionState::kStopped:
      return v1::PROJECTION_STATE_STOPPED;
  }
  return v1::PROJECTION_STATE_UNSPECIFIED;
}

v1::EventTally TallyMessage(const EventTally& tally) {
  v1::EventTally message;
  message.set_count(tally.count);
  message.set_digest(tally.Hex());
  return message;
}

v1::RowChange ChangeMessage(RowDifference::Kind kind) {
  switch (kind) {
    case RowDifference::Kind::kAdded:
      return v1::ROW_CHANGE_ADDED;
    case RowDifference::Kind::kRemoved:
      return v1::ROW_CHANGE_REMOVED;
    case RowDifference::Kind::kChanged:
      return v1::ROW_CHANGE_CHANGED;
  }
  return v1::ROW_CHANGE_UNSPECIFIED;
}

void WriteRow(const RowDifference& row, v1::RowDifference& message) {
  message.set_change(ChangeMessage(row.kind));
  message.set_key(row.key);
  for (const ColumnDifference& column : row.columns) {
    v1::ColumnDifference& added = *message.add_columns();
    added.set_column(column.column);
    added.set_current(column.before);
    added.set_new_(column.after);
  }
}

v1::ProjectionRebuild RebuildMessage(const RebuildProgress& progress) {
  v1::ProjectionRebuild message;
  message.set_version(progress.version);
  message.set_rollback(progress.rollback);
  message.set_events(progress.events);
  message.set_total(progress.total);
  message.set_events_per_second(progress.events_per_second);
  if (progress.left != absl::InfiniteDuration()) *message.mutable_left() = DurationMessage(progress.left);
  if (!progress.error.ok()) *message.mutable_error() = ToStatusMessage(progress.error);
  return message;
}

}  // namespace

v1::ProjectionInfo ProjectionMessage(const ProjectionStatus& status) {
  v1::ProjectionInfo message;
  message.set_name(status.name);
  message.set_revision(static_cast<std::uint32_t>(status.revision));
  message.set_state(StateMessage(status.state));
  if (!status.error.ok()) *message.mutable_error() = ToStatusMessage(status.error);
  message.set_rebuild_cause(status.built_anew_because);
  message.set_stalled(status.stalled);
  message.set_version(status.version);
  message.set_previous_version(status.previous);
  message.set_lag_events(status.lag_events);
  *message.mutable_lag() = DurationMessage(status.lag);
  message.set_parked_keys(status.parked_keys);
  for (std::size_t i = 0; i < status.tallies.size(); ++i) {
    v1::ProjectionPartition& partition = *message.add_partitions();
    partition.set_offset(status.checkpoint.offsets[i].value());
    *partition.mutable_applied() = TallyMessage(status.tallies[i].applied);
    *partition.mutable_parked() = TallyMessage(status.tallies[i].parked);
    *partition.mutable_dropped() = TallyMessage(status.tallies[i].dropped);
  }
  if (status.rebuild.has_value()) *message.mutable_rebuild() = RebuildMessage(*status.rebuild);
  return message;
}

v1::CompareProjectionResponse ComparisonMessage(const VersionComparison& comparison) {
  v1::CompareProjectionResponse message;
  message.set_version(comparison.before);
  message.set_new_version(comparison.after);
  message.set_events(comparison.events);
  for (const TableDifference& table : comparison.tables) {
    v1::TableDifference& added = *message.add_tables();
    added.set_table(table.table);
    added.set_rows(table.rows);
    added.set_added(table.added);
    added.set_removed(table.removed);
    added.set_changed(table.changed);
    for (const RowDifference& row : table.examples) WriteRow(row, *added.add_examples());
  }
  return message;
}

v1::VerifiedProjection VerifiedMessage(const VerifiedReadModel& verified) {
  v1::VerifiedProjection message;
  message.set_version(verified.version);
  message.set_other_code(verified.other_code);
  *message.mutable_applied() = TallyMessage(verified.tally.applied);
  *message.mutable_parked() = TallyMessage(verified.tally.parked);
  *message.mutable_dropped() = TallyMessage(verified.tally.dropped);
  message.mutable_findings()->Add(verified.findings.begin(), verified.findings.end());
  return message;
}

// Without digests, which findings have.
VerifiedReadModel VerifiedOf(const std::string& projection, const v1::VerifiedProjection& message) {
  VerifiedReadModel verified{.projection = projection, .version = message.version()};
  verified.tally.applied.count = message.applied().count();
  verified.tally.parked.count = message.parked().count();
  verified.tally.dropped.count = message.dropped().count();
  verified.other_code = message.other_code();
  verified.findings.assign(message.findings().begin(), message.findings().end());
  return verified;
}

v1::ParkedKey ParkedKeyMessage(const ParkedKey& key) {
  v1::ParkedKey message;
  message.set_key(key.key);
  *message.mutable_park_time() = TimestampOf(key.parked_at);
  message.set_attempts(key.attempts);
  message.set_error(key.error);
  message.set_events(key.events);
  return message;
}

v1::ParkedEvent ParkedEventMessage(const ParkedEvent& event) {
  v1::ParkedEvent message;
  message.set_partition(event.position.partition.value());
  message.set_offset(event.position.offset.value());
  message.set_sequence(event.sequence.value());
  message.set_type(event.type);
  message.set_stream(event.stream.ToString());
  message.set_tenant(event.stream.tenant);
  message.set_version(event.version.value());
  return message;
}

}  // namespace everfold
