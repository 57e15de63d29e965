// Asks an application that runs to verify its store, or to back it up.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/store/verify_log.h"

namespace everfold {

using AdminProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Each blocks until the application has answered. INVALID_ARGUMENT for what is no address; UNAVAILABLE, with the
// address, if none answers there; else what the application says.
absl::StatusOr<VerifyReport> VerifyAt(const std::string& address, bool quick, const AdminProgress& on_progress);
absl::StatusOr<MadeBackup> BackupAt(const std::string& address, const std::string& directory,
                                    const AdminProgress& on_progress);

}  // namespace everfold
