#include "tests/simulation/wallet_history.h"

#include <gtest/gtest.h>

#include "wallet/v1/wallet.pb.h"

namespace everfold {
namespace {

std::int64_t ChangeBy(const Event& event) {
  wallet::v1::Deposited deposited;
  wallet::v1::Withdrawn withdrawn;
  if (event.type == "wallet.v1.Deposited" && deposited.ParseFromString(event.payload)) return deposited.amount_minor();
  if (event.type == "wallet.v1.Withdrawn" && withdrawn.ParseFromString(event.payload)) return -withdrawn.amount_minor();
  return 0;
}

}  // namespace

WalletHistory::WalletHistory(const std::vector<Commit>& commits) {
  for (const Commit& commit : commits) {
    for (const StreamEvents& stream : commit.streams) {
      std::vector<std::int64_t>& balances = by_version_[stream.stream.id];
      if (balances.empty()) balances.push_back(0);
      for (const Event& event : stream.events) balances.push_back(balances.back() + ChangeBy(event));
      EXPECT_GE(balances.back(), 0) << stream.stream.ToString();
    }
  }
}

void WalletHistory::Check(const ToldBalance& told) const {
  const auto known = by_version_.find(told.wallet);
  const std::vector<std::int64_t> balances = known == by_version_.end() ? std::vector<std::int64_t>{0} : known->second;
  ASSERT_LT(told.last.value(), balances.size()) << told.wallet << " never had this version, and it was told";
  for (std::uint64_t version = told.first.value(); version <= told.last.value(); ++version) {
    if (balances[version] == told.balance) return;
  }
  ADD_FAILURE() << told.wallet << " was told to hold " << told.balance << ", which it did not between versions "
                << told.first.value() << " and " << told.last.value();
}

std::map<std::string, std::int64_t> WalletHistory::Balances() const {
  std::map<std::string, std::int64_t> balances;
  for (const auto& [wallet, by_version] : by_version_) balances[wallet] = by_version.back();
  return balances;
}

}  // namespace everfold
