#include "tests/bench/account_commands.h"

#include <utility>
#include <vector>

#include "everfold/base/mutex.h"
#include "tests/bench/account.h"

namespace everfold::bench {

AccountCommands::AccountCommands(OpenStore& store, CommandHandlerOptions options) {
  std::vector<AggregateType> aggregates;
  aggregates.push_back(MakeAggregateType<::bench::v1::AccountDecider>());
  handler_ = CommandHandler::Create(std::move(options), std::move(aggregates), store.store(), store.executor(),
                                    store.clock(), store.random());
}

AccountCommands::~AccountCommands() {
  Notification closed;
  handler_->Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

}  // namespace everfold::bench
