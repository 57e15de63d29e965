// Callers that send commands to a command handler in this process, each to a stream chosen at random.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/v1/account.pb.h"
#include "everfold/command/command_handler.h"
#include "tests/bench/append_target.h"
#include "tests/bench/payloads.h"

namespace everfold::bench {

class CommandTarget final : public AppendTarget {
 public:
  // Lifetime: handler and payloads outlive it. REQUIRES: 1 <= streams <= Streams::kStreams.
  CommandTarget(CommandHandler& handler, const Payloads& payloads, std::uint32_t streams, bool request_ids = false);

  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return 1; }

 private:
  struct Slot {
    Noise noise{0};
    ::bench::v1::AddEntry command;
    Caller* caller = nullptr;
  };

  CommandHandler& handler_;
  const Payloads& payloads_;
  const std::uint32_t streams_;
  const bool request_ids_;
  std::vector<Slot> slots_;  // one a caller
};

// The next command of a caller: to one of so many streams, with a payload of the usual size.
void FillCommand(Noise& noise, const Payloads& payloads, std::uint32_t streams, ::bench::v1::AddEntry& command);

}  // namespace everfold::bench
