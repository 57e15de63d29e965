// What becomes of a command that adds no event, as bytes that are recorded with its id.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/decide/decision.h"
#include "everfold/event/position.h"

namespace everfold {

// `rejection` is nullptr if the command was accepted and changed nothing.
std::string EncodeOutcome(Version version, const Rejection* rejection);

struct RecordedOutcome {
  Version version;  // of the stream, when it was decided; 0 of a boundary's
  std::optional<Rejection> rejection;
};

// The rejections of an aggregate or a boundary, by full message name.
using RejectionTypes = absl::flat_hash_map<std::string, RejectionType>;

// DATA_LOSS for bytes that EncodeOutcome did not make; FAILED_PRECONDITION (UNKNOWN_TYPE) if the aggregate or boundary
// of that name has no such rejection any more.
absl::StatusOr<RecordedOutcome> DecodeOutcome(const std::string& bytes, const RejectionTypes& rejections,
                                              const std::string& part);

}  // namespace everfold
