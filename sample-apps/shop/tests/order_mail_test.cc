// The mails about orders: one for each, in a file that may be torn, full, or not to be had.
#include "reactors/order_mail.h"

#include <sys/prctl.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "domain/order_decider.h"
#include "everfold/testing/scratch_directory.h"
#include "everfold/testing/test_app.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reactors/outbox.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::testing::ScratchDirectory;
using everfold::testing::TestApp;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> MailsOf(TestApp& app) { return LinesOf(app.directory() + "/outbox/order_mail"); }

everfold::Parts MailingParts() { return everfold::Parts().Aggregate<OrderDecider>().Reactor<OrderMail>(); }

void Place(TestApp& app, const std::string& order, Origin origin = ORIGIN_WEB) {
  app.Accepted(MakePlaceOrder({.order_id = order,
                               .customer_id = "c1",
                               .currency = "BRL",
                               .items = {Item(10990, 2551)},
                               .origin = origin,
                               .occurred_at = At("2025-03-01")}));
  app.Settle();
}

TEST(OrderMail, TellsTheCustomerOfAnOrder) {
  TestApp app(MailingParts());
  Place(app, "o1");
  EXPECT_THAT(MailsOf(app), ElementsAre(AllOf(HasSubstr("\"to\":\"c1\""), HasSubstr("We have your order o1"),
                                              HasSubstr("13541 BRL, in minor units"), HasSubstr("\"id\":\""))));
}

TEST(OrderMail, SaysNothingOfOrdersOfAnotherSystem) {
  TestApp app(MailingParts());
  Place(app, "o1", ORIGIN_IMPORTED);
  EXPECT_THAT(MailsOf(app), IsEmpty());
}

TEST(OrderMail, IsThereOnceHoweverOftenItIsDone) {
  TestApp app(MailingParts());
  Place(app, "o1");
  app.Crash();  // before the reactor has saved that it is done
  ASSERT_EQ(app.Open(), absl::OkStatus());
  Place(app, "o2");
  EXPECT_THAT(MailsOf(app), SizeIs(2));
}

TEST(OrderMail, WaitsForAPlaceToBeWritten) {
  TestApp app(MailingParts());
  std::filesystem::create_directories(app.directory() + "/outbox/order_mail");
  Place(app, "o1");
  EXPECT_EQ(app.engine().reactors()[0]->Describe().parked_keys, 1u);
  std::filesystem::remove(app.directory() + "/outbox/order_mail");
  app.engine().reactors()[0]->RetryAll([](const absl::Status& status) { EXPECT_EQ(status, absl::OkStatus()); });
  app.Settle();
  EXPECT_THAT(MailsOf(app), SizeIs(1));
}

TEST(Outbox, CutsOffALineThatWasNotWrittenAsAWhole) {
  const ScratchDirectory directory;
  const std::string path = directory.path() + "/outbox/mail";
  const std::string first = R"({"id":"1"})", second = R"({"id":"2"})";
  ASSERT_EQ(shop::Outbox(path).Add("1", first), absl::OkStatus());
  std::ofstream(path, std::ios::app) << R"({"id":"2)";
  {
    shop::Outbox outbox(path);
    ASSERT_EQ(outbox.Add("1", first), absl::OkStatus());
    ASSERT_EQ(outbox.Add("2", second), absl::OkStatus());
    ASSERT_EQ(outbox.Add("2", second), absl::OkStatus());
  }
  EXPECT_THAT(LinesOf(path), ElementsAre(first, second));
}

// A line that an earlier process has written, and perhaps not synced. The name of this thread is a file that can be
// read and never be synced.
TEST(Outbox, AnIdCountsOnlyOnceItsLineIsDurable) {
  const ScratchDirectory directory;
  const std::string path = directory.path() + "/mail";
  std::string name(16, '\0');
  ASSERT_EQ(::prctl(PR_GET_NAME, name.data()), 0);
  ASSERT_EQ(::prctl(PR_SET_NAME, R"({"id":"1"})"), 0);
  std::filesystem::create_symlink("/proc/thread-self/comm", path);
  shop::Outbox outbox(path);
  const absl::Status added = outbox.Add("1", R"({"id":"1"})");
  ASSERT_EQ(::prctl(PR_SET_NAME, name.data()), 0);
  EXPECT_FALSE(added.ok());
  EXPECT_THAT(std::string(added.message()), HasSubstr("cannot sync " + path));
}

// Larger than what is read at a time.
TEST(Outbox, KnowsEveryIdOfALongFile) {
  const ScratchDirectory directory;
  const std::string path = directory.path() + "/mail";
  {
    std::ofstream file(path);
    for (int i = 0; i < 30000; ++i)
      file << R"({"id":"id-)" << i << R"(","text":"a text of some length ........"})"
           << "\n";
  }
  shop::Outbox outbox(path);
  for (const int i : {0, 1, 15000, 18000, 29999}) {
    ASSERT_EQ(outbox.Add("id-" + std::to_string(i), "{}"), absl::OkStatus());
  }
  EXPECT_THAT(LinesOf(path), SizeIs(30000));
}

}  // namespace
}  // namespace shop::v1
