// What every wallet held at every version, read from the log; and whether what callers were told ever was the case.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "everfold/event/commit.h"

namespace everfold {

// A caller was told that a wallet held so much: at that version; or, by a rejection, at one of these versions.
struct ToldBalance {
  std::string wallet;
  Version first;  // durable when it was asked for
  Version last;   // durable when it was told
  std::int64_t balance = 0;
};

class WalletHistory {
 public:
  explicit WalletHistory(const std::vector<Commit>& commits);

  // Fails the test unless the wallet held that at one of the versions.
  void Check(const ToldBalance& told) const;
  // What each holds now.
  std::map<std::string, std::int64_t> Balances() const;

 private:
  std::map<std::string, std::vector<std::int64_t>> by_version_;  // of wallets; [0] is 0
};

}  // namespace everfold
