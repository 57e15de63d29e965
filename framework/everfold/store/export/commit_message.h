// Commits as they stand in an export.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/commit.h"
#include "everfold/store/append.h"
#include "everfold/v1/export.pb.h"

namespace everfold {

// REQUIRES: `message` is empty. UNIMPLEMENTED for a payload that is stored compressed or encrypted: an export holds it
// as it was appended.
absl::Status Fill(const Commit& commit, v1::ExportedCommit& message);

// The append that makes the same commit again, on the version that each of its streams had. It names the recorded time
// as the earliest one, so that it is the one where the clock is behind. The command has no fingerprint. Takes the
// events out of `message`. INVALID_ARGUMENT, with what is wrong, for a commit that no store can be given.
absl::StatusOr<AppendRequest> TakeAppend(v1::ExportedCommit& message);

}  // namespace everfold
