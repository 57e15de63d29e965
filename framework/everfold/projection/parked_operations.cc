#include "everfold/projection/parked_operations.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/event/stream_id.h"

namespace everfold {

absl::Status ParkedOperations::CheckParked(const std::string& key) const {
  EVERFOLD_RETURN_IF_ERROR(queried_.CheckFolds());
  if (queried_.live()->parked_keys().contains(key)) return absl::OkStatus();
  return Error(absl::StatusCode::kNotFound, reason::kNotParked,
               absl::StrFormat("projection %s has no parked key \"%s\"", type_.name, key));
}

void ParkedOperations::List(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done) {
  using Result = absl::StatusOr<std::vector<ParkedKey>>;
  steps_.Ask<Result>(std::move(done), [this](absl::AnyInvocable<void(Result)> answer) {
    const absl::Status folds = queried_.CheckFolds();
    steps_.Answer<Result>(std::move(answer), folds.ok() ? queried_.live()->DescribeParked() : Result(folds));
  });
}

void ParkedOperations::ListEvents(std::string key, std::size_t limit,
                                  absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done) {
  using Result = absl::StatusOr<std::vector<ParkedEvent>>;
  steps_.Ask<Result>(std::move(done), [this, key = std::move(key), limit](absl::AnyInvocable<void(Result)> answer) {
    const absl::Status parked = CheckParked(key);
    steps_.Answer<Result>(std::move(answer),
                          parked.ok() ? queried_.live()->ParkedEventsOf(key, limit) : Result(parked));
  });
}

void ParkedOperations::Retry(std::string key, Projection::RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  steps_.Ask<Result>(std::move(done), [this, key = std::move(key)](Projection::RetryDone answer) {
    absl::Status refused = CheckParked(key);
    if (refused.ok() && keys_being_dropped_.contains(key)) refused = BeingDropped(key);
    Result left = refused.ok() ? queried_.live()->Retry(key) : Result(refused);
    if (refused.ok()) calls_.published();
    steps_.Answer<Result>(std::move(answer), std::move(left));
  });
}

absl::Status ParkedOperations::BeingDropped(const std::string& key) const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kNotParked,
               absl::StrFormat("an event of \"%s\" is being dropped from projection %s", key, type_.name));
}

void ParkedOperations::Drop(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
                            Projection::RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  if (absl::Status valid = ValidateName(reason, kMaxDropReasonBytes, "the reason"); !valid.ok()) {
    return steps_.Answer<Result>(std::move(done), std::move(valid));
  }
  steps_.Ask<Result>(std::move(done),
                     [this, key = std::move(key), stream = std::move(stream), version, reason = std::move(reason)](
                         Projection::RetryDone answer) { DropFirst(key, stream, version, reason, std::move(answer)); });
}

absl::StatusOr<ParkedEvent> ParkedOperations::FirstOf(const std::string& key) {
  EVERFOLD_RETURN_IF_ERROR(CheckParked(key));
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<ParkedEvent> events, queried_.live()->ParkedEventsOf(key, 1));
  if (!events.empty()) return std::move(events.front());
  return Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged,
               absl::StrFormat("%s: key \"%s\" is parked without an event", queried_.live()->path(), key));
}

absl::Status ParkedOperations::CheckDrop(const ParkedEvent& first, const std::optional<StreamId>& stream,
                                         Version version) const {
  if (keys_being_dropped_.contains(first.key)) return BeingDropped(first.key);
  if (first.version == version && first.stream == stream.value_or(first.stream)) return absl::OkStatus();
  const std::string asked_for = stream.has_value() ? ShownText(KeyOfStream(*stream)) + " " : "";
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kNotParked,
      absl::StrFormat("the first event that waits with \"%s\" is %s version %d, not %sversion %d; look at it, "
                      "and ask again",
                      first.key, KeyOfStream(first.stream), first.version.value(), asked_for, version.value()));
}

void ParkedOperations::DropFirst(const std::string& key, const std::optional<StreamId>& stream, Version version,
                                 const std::string& reason, Projection::RetryDone done) {
  const absl::StatusOr<ParkedEvent> first = FirstOf(key);
  const absl::Status allowed = first.ok() ? CheckDrop(*first, stream, version) : first.status();
  const absl::StatusOr<std::optional<ParkedKey>> parked = allowed.ok() ? queried_.live()->DescribeParked(key) : allowed;
  if (!parked.ok()) return steps_.Answer<absl::StatusOr<std::uint64_t>>(std::move(done), parked.status());
  const std::string error = parked->has_value() ? (*parked)->error : "";
  const std::uint64_t behind = parked->has_value() ? (*parked)->events - 1 : 0;
  keys_being_dropped_.insert(key);
  store_.Append(DropOf(type_.name, *first, error, reason),
                [this, scope = steps_.scope(), event = NameOf(*first), key, behind,
                 done = std::move(done)](const absl::StatusOr<AppendResult>& appended) mutable {
                  std::optional<TaskScope::Guard> guard = scope.Enter();
                  // It is closed. What is decided is durable, and the next opening applies it.
                  if (!guard.has_value()) {
                    return done(appended.ok() ? absl::StatusOr<std::uint64_t>(behind) : appended.status());
                  }
                  steps_.PostEntered(*std::move(guard),
                                     [this, decided = appended.status(), event, key, done = std::move(done)]() mutable {
                                       keys_being_dropped_.erase(key);
                                       if (!decided.ok()) return done(std::move(decided));
                                       ApplyDrop(event, key, std::move(done));
                                     });
                });
}

void ParkedOperations::ApplyDrop(const EventName& event, const std::string& key, Projection::RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  calls_.dropped(event);
  absl::Status status = queried_.CheckFolds();
  if (status.ok()) status = queried_.live()->Drop(event);
  if (queried_.live() != nullptr) calls_.published();
  if (status.ok()) calls_.left_out();
  steps_.Answer<Result>(std::move(done), status.ok() ? WaitingOf(key) : Result(status));
}

// Events that wait with a key, which need not be parked.
absl::StatusOr<std::uint64_t> ParkedOperations::WaitingOf(const std::string& key) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<ParkedKey> parked, queried_.live()->DescribeParked(key));
  return parked.has_value() ? parked->events : 0;
}

}  // namespace everfold
