// Command handlers around another one: what is done for every command, and is not the command side's own business.
//
//   auto authorized = WithAuthorization(handler, MayDo);
//   auto observed = WithObserver(*authorized, clock, metrics);
//
// Lifetime, of all: what they are made around outlives them; they are closed by closing the innermost.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/command/command_handler.h"

namespace everfold {

// Whether whoever asks may do that: OK, or why not, best PERMISSION_DENIED or UNAUTHENTICATED. Threading: called from
// any thread, and must not block.
using AuthorizeCommand = std::function<absl::Status(const CommandRequest& request, const CommandTarget& target)>;

// What is refused is answered so, and never decided. States are not commands, and are not asked about.
std::unique_ptr<CommandHandler> WithAuthorization(CommandHandler& inner, AuthorizeCommand authorize);

// One command that was answered.
struct AnsweredCommand {
  const CommandTarget& target;  // empty if nobody takes it
  const Metadata& metadata;     // of the request: who asked, and its trace
  const absl::StatusOr<CommandOutcome>& outcome;
  absl::Time began;
  absl::Duration took;  // until the answer
};

// Threading: called from any thread, and must not block.
using ObserveCommand = std::function<void(const AnsweredCommand& answered)>;

// For metrics, traces and audits: told of every command, before its caller is.
std::unique_ptr<CommandHandler> WithObserver(CommandHandler& inner, const Clock& clock, ObserveCommand observe);

}  // namespace everfold
