#include "tests/linearizability/contended_store.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "google/rpc/error_details.pb.h"
#include "tests/fault/appends_to_kill.h"

namespace everfold {
namespace {

constexpr char kHot[] = "hot";

StreamId NameOf(StreamNumber stream) { return {"", "jar", absl::StrCat(kHot, stream)}; }

StreamNumber NumberOf(const StreamId& stream) {
  StreamNumber number = 0;
  EVERFOLD_CHECK(absl::SimpleAtoi(stream.id.substr(sizeof(kHot) - 1), &number));
  return number;
}

AppendNumber AppendOf(std::string_view payload) {
  AppendNumber number = 0;
  EVERFOLD_CHECK(absl::SimpleAtoi(std::string(payload), &number));
  return number;
}

AppendRequest RequestOf(const AppendCall& append) {
  AppendRequest request;
  for (const AppendPart& part : append.parts) {
    NewEvent event;
    event.type = "jar.v1.Filled";
    event.payload = absl::StrCat(append.number);
    request.streams.push_back(
        {.stream = NameOf(part.stream),
         .expectation = part.expected.has_value() ? StreamExpectation::Exact(*part.expected) : StreamExpectation::Any(),
         .events = std::vector<NewEvent>(part.events, event)});
  }
  return request;
}

absl::Status NoteConflict(const absl::Status& status, AppendCall& append) {
  google::rpc::ErrorInfo info;
  std::uint64_t actual = 0;
  if (!FindDetail(status, info) || !absl::SimpleAtoi(info.metadata().at("actual_version"), &actual)) return status;
  EVERFOLD_ASSIGN_OR_RETURN(const StreamId stream, ParseStreamId(info.metadata().at("stream")));
  append.outcome = AppendOutcome::kConflict;
  append.conflicting = NumberOf(stream);
  append.actual = Version(actual);
  return absl::OkStatus();
}

absl::Status NoteAnswer(const absl::StatusOr<AppendResult>& answer, AppendCall& append) {
  const std::string reason = ReasonOf(answer.status());
  if (reason == reason::kVersionConflict) return NoteConflict(answer.status(), append);
  if (reason == reason::kOverloaded) append.outcome = AppendOutcome::kRefused;
  if (!answer.ok()) return append.outcome == AppendOutcome::kRefused ? absl::OkStatus() : answer.status();
  append.outcome = AppendOutcome::kDone;
  append.sequence = answer->sequence;
  for (std::size_t i = 0; i < append.parts.size(); ++i) append.parts[i].version = answer->streams[i].version;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ContendedStore>> ContendedStore::Open(const std::string& directory,
                                                                     std::uint64_t seed) {
  std::unique_ptr<ContendedStore> opened(new ContendedStore());
  EmbeddedLogOptions options = LogToKill(directory, seed);
  options.partitions = kContendedPartitions;
  EVERFOLD_ASSIGN_OR_RETURN(opened->log_, EmbeddedLog::Open(options, opened->executor_, opened->random_));
  EVERFOLD_ASSIGN_OR_RETURN(opened->store_, EventStore::Open(StoreToKill(directory), *opened->log_, opened->executor_,
                                                             opened->clock_, opened->random_));
  return opened;
}

absl::Status ContendedStore::Append(AppendCall& append) {
  absl::StatusOr<AppendResult> answer;
  Notification answered;
  store_->Append(RequestOf(append), [&](absl::StatusOr<AppendResult> result) {
    answer = std::move(result);
    answered.Notify();
  });
  answered.WaitForNotification();
  return NoteAnswer(answer, append);
}

absl::Status ContendedStore::ReadVersion(ReadCall& read) const {
  EVERFOLD_ASSIGN_OR_RETURN(read.head, store_->VersionOf(NameOf(read.stream)));
  return absl::OkStatus();
}

absl::Status ContendedStore::ReadEvents(std::size_t limit, ReadCall& read) const {
  const absl::Status status =
      store_->ReadStream(NameOf(read.stream), *read.after, [&](const RecordedEvent& event) -> absl::Status {
        if (read.events.size() == limit) return absl::CancelledError();
        read.events.push_back({event.version, AppendOf(event.event.payload)});
        return absl::OkStatus();
      });
  read.to_end = status.ok();
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::unique_ptr<ContendedStore::Reader>> ContendedStore::StartReader(const Offsets& checkpoint) const {
  Checkpoint from = BeginningOf(*store_);
  std::transform(checkpoint.begin(), checkpoint.end(), from.offsets.begin(),
                 [](std::uint64_t offset) { return Offset(offset); });
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<Subscription> subscription, Subscription::Start(*store_, from));
  return std::make_unique<Reader>(std::move(subscription));
}

absl::Status ContendedStore::Reader::Pull(std::size_t limit, bool refuse, PullCall& pull) {
  const std::size_t wanted = refuse ? limit + 1 : limit;
  const auto pulled = subscription_->Pull(wanted, [&](const RecordedEvent& event) -> absl::Status {
    if (pull.events.size() == limit) return absl::CancelledError();
    pull.events.push_back({event.commit.sequence, event.position, NumberOf(event.stream.stream), event.version,
                           AppendOf(event.event.payload)});
    return absl::OkStatus();
  });
  pull.caught_up = pulled.ok() && *pulled < wanted;
  return absl::IsCancelled(pulled.status()) ? absl::OkStatus() : pulled.status();
}

ContendedStore::Offsets ContendedStore::Reader::checkpoint() const {
  Offsets offsets;
  for (const Offset offset : subscription_->checkpoint().offsets) offsets.push_back(offset.value());
  return offsets;
}

}  // namespace everfold
