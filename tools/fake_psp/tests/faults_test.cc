#include "tools/fake_psp/faults.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace psp {
namespace {

TEST(Faults, AreNoneUnlessAskedFor) {
  const Faults faults((FaultOptions()));
  for (int i = 0; i < 1000; ++i) {
    const CallFaults call = faults.OfCall(absl::StrCat("k", i), 1);
    EXPECT_FALSE(call.drop_request || call.drop_answer || call.twice || call.delay != absl::ZeroDuration());
    const BankFaults bank = faults.OfBank(absl::StrCat("k", i));
    EXPECT_FALSE(bank.decline || bank.pending);
    const NotificationFaults told = faults.OfNotification(i, 1);
    EXPECT_FALSE(told.twice || told.reorder);
  }
}

TEST(Faults, HaveTheShareThatIsAskedFor) {
  const Faults faults({.seed = 7, .drop_request = 0.1, .decline = 0.25});
  int dropped = 0, declined = 0;
  for (int i = 0; i < 10'000; ++i) {
    dropped += faults.OfCall(absl::StrCat("k", i), 1).drop_request ? 1 : 0;
    declined += faults.OfBank(absl::StrCat("k", i)).decline ? 1 : 0;
  }
  EXPECT_NEAR(dropped, 1000, 150);
  EXPECT_NEAR(declined, 2500, 200);
}

TEST(Faults, AreThoseOfTheSeed) {
  const FaultOptions options{.seed = 3, .drop_answer = 0.5, .decline = 0.5};
  const Faults one(options);
  const Faults same(options);
  FaultOptions changed = options;
  changed.seed = 4;
  const Faults other(changed);
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string key = absl::StrCat("k", i);
    EXPECT_EQ(one.OfBank(key).decline, same.OfBank(key).decline);
    EXPECT_EQ(one.OfCall(key, 2).drop_answer, same.OfCall(key, 2).drop_answer);
    differences += one.OfBank(key).decline != other.OfBank(key).decline ? 1 : 0;
  }
  EXPECT_GT(differences, 20);
}

TEST(Faults, MayPassWithAnotherAttempt) {
  const Faults faults({.drop_request = 0.5});
  int attempts = 1;
  while (faults.OfCall("k", static_cast<std::uint64_t>(attempts)).drop_request && attempts < 100) ++attempts;
  EXPECT_LT(attempts, 100);
}

}  // namespace
}  // namespace psp
