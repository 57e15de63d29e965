// everfold.v1.AdminService: verification and backups of a store at work, for callers on the same machine.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "everfold/base/clock.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/rpc/rpc_service.h"
#include "everfold/store/event_store.h"

namespace everfold {

// As BackupOptions::complete; nullptr: a backup is of the log alone.
using CompleteBackup = std::function<absl::Status(const std::string& directory)>;

// One verification at a time, on a thread of its own. A call that is cancelled ends soon. No backup goes to where the
// data is: a directory that is `data_directory`, or in it, or around it, is refused. Lifetime: store, log, clock and
// what completes backups outlive it.
std::unique_ptr<RpcService> MakeAdminService(const EventStore& store, EmbeddedLog& log, std::string data_directory,
                                             const Clock& clock, CompleteBackup complete = nullptr);

}  // namespace everfold
