// A log of which no chunk behind an offset can be read.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "everfold/base/status.h"
#include "tests/unit/log/forwarding_log.h"

namespace everfold {

class DamagedCursor final : public ChunkCursor {
 public:
  DamagedCursor(std::unique_ptr<ChunkCursor> inner, Offset upto) : inner_(std::move(inner)), upto_(upto) {}

  absl::StatusOr<bool> Next() override {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, inner_->Next());
    if (found && inner_->head().offset > upto_) return absl::DataLossError("damaged");
    return found;
  }
  std::string_view chunk() const override { return inner_->chunk(); }
  PartitionHead head() const override { return inner_->head(); }

 private:
  const std::unique_ptr<ChunkCursor> inner_;
  const Offset upto_;
};

class DamagedLog final : public ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  Offset upto{UINT64_MAX};  // set while nobody reads

  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<ChunkCursor> cursor, ForwardingLog::Read(partition, after));
    return std::make_unique<DamagedCursor>(std::move(cursor), upto);
  }
};

}  // namespace everfold
