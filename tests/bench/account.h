// The decider of the benchmark of commands.
#pragma once

#include "bench/v1/account.everfold.h"

namespace bench::v1 {

struct AccountDecider {
  using Aggregate = Account;
  static constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40;

  static everfold::Decision<Account> Decide(const Account& s, const AddEntry& c, everfold::Context&) {
    const std::int64_t bytes = s.bytes() + static_cast<std::int64_t>(c.data().size());
    if (bytes > kMaxBytes) return everfold::Reject(MakeAccountFull({.missing = bytes - kMaxBytes}));
    return everfold::Emit(MakeEntryAdded({.data = c.data()}));
  }
  static void Evolve(Account& s, const EntryAdded& e) {
    s.set_entries(s.entries() + 1);
    s.set_bytes(s.bytes() + static_cast<std::int64_t>(e.data().size()));
  }
};

}  // namespace bench::v1
