// The command side of the benchmark's accounts, on a store.
#pragma once

#include <cstdint>
#include <memory>

#include "everfold/command/command_handler.h"
#include "tests/bench/open_store.h"

namespace everfold::bench {

// Threading: one thread. Lifetime: the store outlives it. Its end waits for what is under way.
class AccountCommands {
 public:
  AccountCommands(OpenStore& store, CommandHandlerOptions options);
  ~AccountCommands();

  CommandHandler& handler() { return *handler_; }
  // Returns when the states of so many streams are in memory.
  void LoadStates(std::uint32_t streams);

 private:
  std::unique_ptr<CommandHandler> handler_;
};

}  // namespace everfold::bench
