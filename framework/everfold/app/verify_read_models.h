// The part of the verb `verify` that compares read models with the log.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/app/host.h"
#include "everfold/app/parts.h"
#include "everfold/projection/verify_read_model.h"

namespace everfold {

// Prints a line for each projection, and one for each thing that was found. DATA_LOSS if there is one.
absl::Status VerifyReadModels(Host& host, Parts parts, const std::string& data_directory);

// The same, asked of an application that runs.
absl::Status VerifyReadModelsAt(const std::string& address);

// "read model balances: version 2, 1,234 events applied, 0 parked, 0 dropped, as the log has them\n"
std::string FormatReadModel(const VerifiedReadModel& verified);

}  // namespace everfold
