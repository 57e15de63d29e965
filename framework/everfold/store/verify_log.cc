#include "everfold/store/verify_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/store/verify/commit_order.h"
#include "everfold/store/verify/findings.h"
#include "everfold/store/verify/index_check.h"
#include "everfold/store/verify/partition_check.h"

namespace everfold {
namespace {

constexpr std::uint64_t kEventsBetweenProgress = 1 << 14;

// Walks all partitions at once, merged by the first sequences of their next chunks.
class Verification {
 public:
  Verification(const VerifiedLog& verified, const VerifyOptions& options)
      : verified_(verified),
        options_(options),
        findings_(options.max_findings),
        order_(findings_),
        types_(verified.log.identity().partitions) {
    const std::uint32_t partitions = verified.log.identity().partitions;
    if (verified.index != nullptr && !options.quick) index_.emplace(*verified.index, findings_);
    for (std::uint32_t i = 0; i < partitions; ++i) report_.partitions.push_back({.partition = PartitionId(i)});
  }

  absl::StatusOr<VerifyReport> Run() {
    for (const VerifiedPartition& counts : report_.partitions) {
      EVERFOLD_ASSIGN_OR_RETURN(PartitionCheck check,
                                PartitionCheck::Begin(verified_.log, counts.partition, verified_.upto, findings_));
      progress_.total += check.end().offset.value();
      EVERFOLD_RETURN_IF_ERROR(Advance(std::move(check)));
    }
    while (!next_.empty()) EVERFOLD_RETURN_IF_ERROR(TakeNext());
    EVERFOLD_RETURN_IF_ERROR(End());
    findings_.MoveTo(report_);
    return std::move(report_);
  }

 private:
  static bool IsLater(const PartitionCheck& a, const PartitionCheck& b) {
    return std::pair(a.header().first_sequence, a.partition()) > std::pair(b.header().first_sequence, b.partition());
  }

  absl::Status Advance(PartitionCheck check) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, check.Next());
    VerifiedPartition& counts = report_.partitions[check.partition().value()];
    counts.head = check.at();
    counts.chunks = check.chunks();
    if (!found) return absl::OkStatus();
    next_.push_back(std::move(check));
    std::push_heap(next_.begin(), next_.end(), IsLater);
    return absl::OkStatus();
  }

  absl::Status TakeNext() {
    std::pop_heap(next_.begin(), next_.end(), IsLater);
    PartitionCheck check = std::move(next_.back());
    next_.pop_back();
    order_.Reach(check.header().first_sequence);
    EVERFOLD_RETURN_IF_ERROR(Take(check));
    EVERFOLD_RETURN_IF_ERROR(Count(check.header().event_count));
    return Advance(std::move(check));
  }

  absl::Status Take(const PartitionCheck& check) {
    VerifiedPartition& counts = report_.partitions[check.partition().value()];
    counts.commits += check.header().commit_count;
    counts.events += check.header().event_count;
    if (options_.quick || check.header().partition != check.partition()) return absl::OkStatus();
    EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(check.chunk()));
    Define(chunk, check.has_gap());
    if (index_.has_value()) EVERFOLD_RETURN_IF_ERROR(index_->CheckDefinitions(chunk));
    while (chunk.NextCommit()) EVERFOLD_RETURN_IF_ERROR(TakeCommit(chunk, counts));
    if (!chunk.status().ok()) findings_.AddAt(chunk.header(), std::string(chunk.status().message()));
    return check.has_gap() ? absl::OkStatus() : CheckTypes(check.chunk());
  }

  absl::Status TakeCommit(ChunkReader& chunk, VerifiedPartition& counts) {
    const CommitView& commit = chunk.commit();
    order_.Add(chunk.header(), commit.sequence, commit.recorded_at);
    if (index_.has_value()) return index_->CheckCommit(chunk, counts.streams);
    while (chunk.NextStream()) {
      counts.streams += chunk.stream().first_version == Version(1) && chunk.stream().event_count > 0;
    }
    return absl::OkStatus();
  }

  // Behind a gap definitions may be missing, and what is defined tells nothing.
  void Define(const ChunkReader& chunk, bool has_gap) {
    for (const TypeDefinition& definition : chunk.definitions()) {
      const absl::Status status = types_.Define(chunk.header().partition, definition);
      if (!status.ok() && !has_gap) findings_.AddAt(chunk.header(), std::string(status.message()));
    }
  }

  absl::Status CheckTypes(std::string_view bytes) {
    EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(bytes));
    const TypeId last = types_.LastId(chunk.header().partition);
    TypeId undefined = 0;
    while (chunk.NextCommit()) {
      if (chunk.commit().command_type > last) undefined = chunk.commit().command_type;
      while (chunk.NextStream()) {
        while (chunk.NextEvent()) undefined = chunk.event().type > last ? chunk.event().type : undefined;
      }
    }
    if (undefined > 0) {
      findings_.AddAt(chunk.header(), absl::StrFormat("type %d is used, and %d are defined", undefined, last));
    }
    return absl::OkStatus();
  }

  absl::Status Count(std::uint64_t events) {
    const std::uint64_t before = progress_.events;
    progress_.events += events;
    const bool due = before / kEventsBetweenProgress != progress_.events / kEventsBetweenProgress;
    return due ? Tell() : absl::OkStatus();
  }

  absl::Status Tell() { return options_.on_progress ? options_.on_progress(progress_) : absl::OkStatus(); }

  absl::Status End() {
    order_.End();
    if (index_.has_value()) {
      LogTail tail;
      tail.last_sequence = verified_.upto;
      for (const VerifiedPartition& counts : report_.partitions) {
        tail.heads.push_back(verified_.upto == Sequence::Max() ? PartitionHead{Offset::Max(), 0, {}} : counts.head);
      }
      EVERFOLD_RETURN_IF_ERROR(index_->End(tail));
    }
    return Tell();
  }

  const VerifiedLog verified_;
  const VerifyOptions& options_;
  VerifyReport report_;
  Findings findings_;
  CommitOrder order_;
  TypeDictionary types_;
  std::optional<IndexCheck> index_;
  VerifyProgress progress_;
  std::vector<PartitionCheck> next_;  // a heap; each stands on a chunk that is not taken
};

const char* NameOf(FindingPlace place) {
  switch (place) {
    case FindingPlace::kIndex:
      return "the index";
    case FindingPlace::kLogFile:
      return "a file of the log";
    case FindingPlace::kLog:
      return "the log";
  }
  return "";
}

}  // namespace

std::string Finding::ToString() const {
  if (!partition.has_value()) return absl::StrFormat("%s: %s", NameOf(place), what);
  return absl::StrFormat("partition %d, chunk %d (offset %d): %s", partition->value(), chunk_number, offset.value(),
                         what);
}

std::string VerifyReport::Digest() const {
  Sha256Hasher hasher;
  for (const VerifiedPartition& partition : partitions) {
    const everfold::Digest& chain = partition.head.chain.digest;
    hasher.Add({reinterpret_cast<const char*>(chain.data()), chain.size()});
  }
  const auto digest = hasher.Finish();
  return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

absl::Status VerifyReport::status() const {
  if (findings.empty() && findings_left_out == 0) return absl::OkStatus();
  const std::uint64_t count = findings.size() + findings_left_out;
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("%s, first: %s",
                               count == 1 ? "1 thing is not as it must be"
                                          : absl::StrFormat("%d things are not as they must be", count),
                               findings.empty() ? "" : findings.front().ToString()),
               {{"findings", std::to_string(count)}});
}

absl::StatusOr<VerifyReport> VerifyLog(const VerifiedLog& verified, const VerifyOptions& options) {
  return Verification(verified, options).Run();
}

}  // namespace everfold
