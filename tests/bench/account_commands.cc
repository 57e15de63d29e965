#include "tests/bench/account_commands.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "everfold/base/check.h"
#include "everfold/base/mutex.h"
#include "tests/bench/account.h"
#include "tests/bench/streams.h"

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

void AccountCommands::LoadStates(std::uint32_t streams) {
  constexpr std::uint32_t kAtOnce = 1000;
  for (std::uint32_t first = 0; first < streams; first += kAtOnce) {
    const std::uint32_t count = std::min(kAtOnce, streams - first);
    absl::BlockingCounter left(static_cast<int>(count));
    for (std::uint32_t i = first; i < first + count; ++i) {
      handler_->GetState({.stream = Streams::NameOf(i)}, [&left](const absl::StatusOr<StateAnswer>& answer) {
        EVERFOLD_CHECK(answer.ok());
        left.DecrementCount();
      });
    }
    left.Wait();
  }
}

}  // namespace everfold::bench
