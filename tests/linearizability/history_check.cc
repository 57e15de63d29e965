#include "tests/linearizability/history_check.h"

#include "tests/linearizability/deliveries.h"
#include "tests/linearizability/linearizable.h"
#include "tests/linearizability/stream_chains.h"

namespace everfold {

std::vector<std::string> ViolationsOf(const History& history, std::uint32_t subscribers) {
  std::vector<std::string> violations;
  const StreamChains chains(history, violations);
  if (!violations.empty()) return violations;
  CheckLinearizable(history, chains, Strictness::kSequence, violations);
  CheckDeliveries(history, chains, subscribers, violations);
  return violations;
}

}  // namespace everfold
