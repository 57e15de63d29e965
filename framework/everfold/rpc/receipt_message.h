// Receipts, and what else becomes of commands, as messages.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/command/command_handler.h"
#include "everfold/v1/receipt.pb.h"

namespace everfold {

// Fills the receipt of a command that was accepted; else tells why it was not.
absl::Status FillReceipt(const absl::StatusOr<CommandOutcome>& outcome, v1::CommandReceipt& receipt);

}  // namespace everfold
