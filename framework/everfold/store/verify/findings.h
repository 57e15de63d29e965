// What a verification found, in a list that does not grow without end.
#pragma once

#include <string>
#include <utility>

#include "everfold/event/chunk_header.h"
#include "everfold/store/verify_log.h"

namespace everfold {

// Threading: one thread.
class Findings {
 public:
  explicit Findings(std::size_t limit) : limit_(limit) {}

  void Add(Finding finding) {
    if (findings_.size() < limit_) {
      findings_.push_back(std::move(finding));
    } else {
      ++left_out_;
    }
  }
  void AddAt(const ChunkHeader& chunk, std::string what) {
    Add({chunk.partition, chunk.chunk_number, chunk.first_offset, std::move(what)});
  }
  void AddOfIndex(std::string what) { Add({std::nullopt, 0, {}, std::move(what)}); }

  void MoveTo(VerifyReport& report) {
    report.findings = std::move(findings_);
    report.findings_left_out = left_out_;
  }

 private:
  const std::size_t limit_;
  std::vector<Finding> findings_;
  std::uint64_t left_out_ = 0;
};

// Damage is found; whatever else went wrong leaves the question open.
inline bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsFailedPrecondition(status);
}

}  // namespace everfold
