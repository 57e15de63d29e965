#include "tests/bench/command_target.h"

#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "everfold/base/random.h"
#include "tests/bench/streams.h"

namespace everfold::bench {
namespace {

absl::Status StatusOf(const absl::StatusOr<CommandOutcome>& outcome) {
  if (!outcome.ok()) return outcome.status();
  if (std::holds_alternative<Rejection>(*outcome)) return absl::FailedPreconditionError("rejected");
  return absl::OkStatus();
}

std::string RandomId(Noise& noise) {
  char bytes[16];
  noise.Fill(bytes, sizeof(bytes));
  return absl::WebSafeBase64Escape(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace

void FillCommand(Noise& noise, const Payloads& payloads, std::uint32_t streams, ::bench::v1::AddEntry& command) {
  command.set_account_id(Streams::NameOf(static_cast<std::uint32_t>(noise.Below(streams))).id);
  command.mutable_data()->resize(payloads.bytes());
  payloads.Fill(noise, command.mutable_data()->data());
}

CommandTarget::CommandTarget(CommandHandler& handler, const Payloads& payloads, std::uint32_t streams, bool request_ids)
    : handler_(handler), payloads_(payloads), streams_(streams), request_ids_(request_ids), slots_(kMostCallers) {
  SystemRandom random;
  for (Slot& slot : slots_) slot.noise = Noise(random.Next());
}

void CommandTarget::Append(std::size_t number, Caller& caller) {
  Slot& slot = slots_[number];
  slot.caller = &caller;
  FillCommand(slot.noise, payloads_, streams_, slot.command);
  CommandRequest request;
  request.command = &slot.command;
  if (request_ids_) request.request_id = RandomId(slot.noise);
  handler_.Handle(std::move(request), [&slot](const absl::StatusOr<CommandOutcome>& outcome) {
    slot.caller->OnDurable(StatusOf(outcome));
  });
}

}  // namespace everfold::bench
