// What the callers of a store know: what they asked for, and what they were told. It lives outside the store, and
// outlives all of its crashes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "everfold/event/commit.h"
#include "everfold/store/append.h"
#include "tests/simulation/store_contents.h"

namespace everfold {

// One append. The payloads of its events name it, so that it is known again in the log.
struct SentAppend {
  std::uint64_t number = 0;
  AppendRequest request;
  std::optional<AppendResult> acknowledged;
  absl::Status refused;  // told that nothing was changed, and why
  bool unknown = false;  // an attempt was not answered, or nobody knows: a later refusal says nothing of that one
  bool found = false;    // seen in the log: from then on it must stay there
};

class StoreLedger {
 public:
  SentAppend& Add(AppendRequest request);
  void OnAnswer(SentAppend& sent, const absl::StatusOr<AppendResult>& answer);
  // That the store holds what it must, and nothing that nobody asked for.
  void Check(const StoreContents& contents);

  // What was not as promised, a line each; of a check the first only.
  const std::vector<std::string>& violations() const { return violations_; }
  void Report(std::string violation) { violations_.push_back(std::move(violation)); }

  std::size_t size() const { return appends_.size(); }
  SentAppend& at(std::size_t i) { return *appends_[i]; }
  std::size_t acknowledged() const;
  // Of all that was asked for.
  const StoreNames& names() const { return names_; }

  // "17/2": event 2 of append 17, and as many more bytes as it takes to make 40.
  static std::string Payload(std::uint64_t append, std::size_t event);

 private:
  SentAppend* SenderOf(const StoredCommit& commit);
  absl::Status CheckCommits(const std::map<Sequence, StoredCommit>& commits);
  absl::Status CheckCommit(Sequence sequence, const StoredCommit& commit);
  absl::Status CheckCondition(const SentAppend& sent, Sequence sequence,
                              const std::map<Sequence, StoredCommit>& commits);

  std::vector<std::unique_ptr<SentAppend>> appends_;
  StoreNames names_;
  std::map<std::uint64_t, Sequence> sequences_;  // by append, of the last Check
  std::vector<std::string> violations_;
};

}  // namespace everfold
