#include "everfold/reaction/reactor_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/reaction/event_reaction.h"
#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

struct OnlyCredits {
  static constexpr ReactorOptions kOptions{.name = "credits", .concurrency = 4};
  using Events = Types<Credited, Debited>;
  static absl::Status On(const Credited&, const Reaction&) { return absl::OkStatus(); }
};

// Takes what it is made with.
struct WithSetup {
  static constexpr ReactorOptions kOptions{.name = "with_setup"};
  using Events = Types<Credited>;
  WithSetup(const ReactorSetup& setup, std::string suffix) : path(setup.data_directory + suffix) {}
  absl::Status On(const Credited&, const Reaction&) const { return absl::NotFoundError(path); }
  std::string path;
};

TEST(ReactorType, HasAHandlerForEachOn) {
  const ReactorType type = MakeReactorType<OnlyCredits>();
  EXPECT_EQ(type.name, "credits");
  EXPECT_EQ(type.concurrency, 4);
  EXPECT_EQ(type.start, ReactorStart::kHead);
  EXPECT_THAT(type.handlers, UnorderedElementsAre(Pair("ledger.v1.Credited", ::testing::NotNull())));
  EXPECT_EQ(type.Validate(), absl::OkStatus());
}

TEST(ReactorType, ItsObjectIsMadeOfSetupAndArguments) {
  const ReactorType type = MakeReactorType<WithSetup>(std::string("/outbox"));
  const std::shared_ptr<void> object = type.make({.data_directory = "data"});
  const TakenEvent event{
      .place = {}, .type = "ledger.v1.Credited", .payload = "", .event_time = {}, .recorded_at = {}, .metadata = {}};
  EXPECT_EQ(ReactTo(type, object.get(), event, 1), absl::NotFoundError("data/outbox"));
}

TEST(ReactorType, TakesTheStoredFormsThatItHandles) {
  AggregateType aggregate;
  aggregate.stored_forms["old.Credit"].becomes = "ledger.v1.Credited";
  aggregate.stored_forms["old.Debit"].becomes = "ledger.v1.Debited";
  ReactorType type = MakeReactorType<OnlyCredits>();
  type.AddStoredForms(aggregate);
  EXPECT_EQ(type.stored_forms.size(), 1u);
  EXPECT_TRUE(type.stored_forms.contains("old.Credit"));
}

TEST(ReactorType, RefusesWhatCannotBe) {
  const auto refused = [](auto change, const std::string& message) {
    ReactorType type = MakeReactorType<OnlyCredits>();
    change(type);
    const absl::Status status = type.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  };
  refused([](ReactorType& t) { t.name = "Order-Mail"; }, "\"Order-Mail\" is not of the form [a-z][a-z0-9_]*");
  refused([](ReactorType& t) { t.name = ""; }, "is not of the form");
  refused([](ReactorType& t) { t.name = std::string(65, 'a'); }, "at most 64 bytes");
  refused([](ReactorType& t) { t.concurrency = 0; }, "concurrency is 1 to 64, not 0");
  refused([](ReactorType& t) { t.concurrency = 65; }, "concurrency is 1 to 64, not 65");
  refused([](ReactorType& t) { t.retry.attempts = 0; }, "it has 0 attempts");
  refused([](ReactorType& t) { t.retry.first_wait = absl::ZeroDuration(); }, "from 0 to 10m apart");
  refused([](ReactorType& t) { t.retry.longest_wait = absl::Milliseconds(1); }, "from 1s to 1ms apart");
}

}  // namespace
}  // namespace everfold
