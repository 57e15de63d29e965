#include "tests/simulation/store_ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::size_t kPayloadBytes = 40;

template <class... Args>
absl::Status Violation(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return absl::Status(absl::StatusCode::kInternal, absl::StrFormat(format, args...));
}

std::vector<std::string> PayloadsOf(const StreamAppend& stream) {
  std::vector<std::string> payloads;
  for (const NewEvent& event : stream.events) payloads.push_back(event.payload);
  return payloads;
}

bool HasEvents(const AppendRequest& request) {
  return std::any_of(request.streams.begin(), request.streams.end(),
                     [](const StreamAppend& stream) { return !stream.events.empty(); });
}

bool RepeatsFirst(const AppendResult& repeated, const AppendResult& first) {
  return repeated.repeated && repeated.sequence == first.sequence && repeated.streams == first.streams;
}

// That each stream was at a version that the append expected.
absl::Status CheckExpectations(const SentAppend& sent, const StoredCommit& commit) {
  for (const StreamAppend& stream : sent.request.streams) {
    if (stream.events.empty()) continue;
    const Version before(commit.last_versions.at(stream.stream).value() - stream.events.size());
    if (stream.expectation.Holds(before)) continue;
    return Violation("append %d expected %s of %s, and follows version %d", sent.number, stream.expectation.ToString(),
                     stream.stream.ToString(), before.value());
  }
  return absl::OkStatus();
}

}  // namespace

std::string StoreLedger::Payload(std::uint64_t append, std::size_t event) {
  std::string payload = absl::StrCat(append, "/", event, " ");
  payload.resize(kPayloadBytes, '.');
  return payload;
}

SentAppend& StoreLedger::Add(AppendRequest request) {
  auto sent = std::make_unique<SentAppend>();
  sent->number = appends_.size();
  std::size_t event = 0;
  for (StreamAppend& stream : request.streams) {
    for (NewEvent& added : stream.events) added.payload = Payload(sent->number, event++);
    names_.streams[stream.stream] = true;
  }
  if (!request.command.empty() && HasEvents(request)) names_.commands[request.command.id] = request.command;
  sent->request = std::move(request);
  appends_.push_back(std::move(sent));
  return *appends_.back();
}

void StoreLedger::OnAnswer(SentAppend& sent, const absl::StatusOr<AppendResult>& answer) {
  if (answer.ok()) {
    if (sent.acknowledged.has_value() && !RepeatsFirst(*answer, *sent.acknowledged)) {
      Report(absl::StrFormat("append %d was acknowledged as commit %d, and then as %d", sent.number,
                             sent.acknowledged->sequence.value(), answer->sequence.value()));
    }
    sent.acknowledged = *answer;
  } else if (answer.status().code() == absl::StatusCode::kUnknown) {
    sent.unknown = true;
  } else {
    const std::string why = ReasonOf(answer.status());
    if (why != reason::kVersionConflict && why != reason::kConditionFailed && why != reason::kDiskFull &&
        why != reason::kStoreClosed && why != reason::kOverloaded && why != reason::kStorageFailed) {
      Report(
          absl::StrFormat("append %d was refused without a good reason: %s", sent.number, answer.status().ToString()));
    }
    if (!sent.unknown) sent.refused = answer.status();
  }
}

std::size_t StoreLedger::acknowledged() const {
  return static_cast<std::size_t>(
      std::count_if(appends_.begin(), appends_.end(), [](const auto& sent) { return sent->acknowledged.has_value(); }));
}

SentAppend* StoreLedger::SenderOf(const StoredCommit& commit) {
  for (const auto& [stream, payloads] : commit.payloads) {
    if (payloads.empty()) continue;
    const std::uint64_t number = std::stoull(payloads.front());
    return number < appends_.size() ? appends_[number].get() : nullptr;
  }
  return nullptr;
}

absl::Status StoreLedger::CheckCommit(Sequence sequence, const StoredCommit& commit) {
  SentAppend* sender = SenderOf(commit);
  if (sender == nullptr) return Violation("commit %d was not asked for", sequence.value());
  const std::uint64_t number = sender->number;
  if (!sender->refused.ok()) return Violation("append %d was refused, and is commit %d", number, sequence.value());
  if (!sequences_.emplace(number, sequence).second) return Violation("append %d is there twice", number);
  std::map<StreamId, std::vector<std::string>> asked;
  for (const StreamAppend& stream : sender->request.streams) {
    if (!stream.events.empty()) asked[stream.stream] = PayloadsOf(stream);
  }
  if (commit.payloads != asked) return Violation("append %d is not there as it was sent", number);
  EVERFOLD_RETURN_IF_ERROR(CheckExpectations(*sender, commit));
  sender->found = true;
  if (!sender->acknowledged.has_value()) return absl::OkStatus();
  if (sender->acknowledged->sequence != sequence) {
    return Violation("append %d was acknowledged as commit %d, and is commit %d", number,
                     sender->acknowledged->sequence.value(), sequence.value());
  }
  for (const StreamResult& stream : sender->acknowledged->streams) {
    const auto last = commit.last_versions.find(stream.stream);
    if (last != commit.last_versions.end() && last->second != stream.version) {
      return Violation("append %d made version %d of %s, which is %d now", number, stream.version.value(),
                       stream.stream.ToString(), last->second.value());
    }
  }
  return absl::OkStatus();
}

// That no commit between the one the condition is after and its own has an event that it excludes.
absl::Status StoreLedger::CheckCondition(const SentAppend& sent, Sequence sequence,
                                         const std::map<Sequence, StoredCommit>& commits) {
  if (!sent.request.condition.has_value()) return absl::OkStatus();
  const auto& [query, after] = *sent.request.condition;
  for (auto it = commits.upper_bound(after); it != commits.end() && it->first < sequence; ++it) {
    const SentAppend& other = *SenderOf(it->second);
    for (const StreamAppend& stream : other.request.streams) {
      for (const NewEvent& event : stream.events) {
        if (stream.stream.tenant != sent.request.tenant || !Matches(query, event.type, event.tags)) continue;
        return Violation("append %d is commit %d in spite of commit %d, which its condition excludes", sent.number,
                         sequence.value(), it->first.value());
      }
    }
  }
  return absl::OkStatus();
}

absl::Status StoreLedger::CheckCommits(const std::map<Sequence, StoredCommit>& commits) {
  sequences_.clear();
  Sequence last;
  for (const auto& [sequence, commit] : commits) {
    if (sequence != last.Next()) return Violation("commit %d is missing", last.Next().value());
    last = sequence;
    EVERFOLD_RETURN_IF_ERROR(CheckCommit(sequence, commit));
    EVERFOLD_RETURN_IF_ERROR(CheckCondition(*SenderOf(commit), sequence, commits));
  }
  for (const auto& sent : appends_) {
    if ((sent->found || sent->acknowledged.has_value()) && !sequences_.contains(sent->number)) {
      return Violation("append %d is lost", sent->number);
    }
  }
  return absl::OkStatus();
}

void StoreLedger::Check(const StoreContents& contents) {
  if (const absl::Status checked = CheckCommits(contents.commits); !checked.ok()) {
    Report(std::string(checked.message()));
  }
  for (std::string& contradiction : ContradictionsOf(contents, names_)) Report(std::move(contradiction));
}

}  // namespace everfold
