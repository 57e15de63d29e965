#include "everfold/reaction/key_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/subscription/before_sequence.h"
#include "everfold/subscription/subscription.h"
#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Found = KeyEvents::Found;

struct Together : Mailer {
  static std::string Key(const Credited& e, const Reaction&) { return e.value() % 2 == 0 ? "even" : "odd"; }
};

class KeyEventsTest : public ::testing::Test {
 protected:
  // All events in their order.
  std::vector<TakenEvent> Log() {
    std::vector<TakenEvent> events;
    const auto subscription = Subscription::Start(mailbox_.store(), BeginningOf(mailbox_.store()));
    EXPECT_TRUE((*subscription)
                    ->Pull(1 << 20,
                           [&events](const RecordedEvent& event) {
                             events.push_back(Take(event));
                             return absl::OkStatus();
                           })
                    .ok());
    return events;
  }
  static std::vector<std::string> NamesOf(const std::deque<TakenEvent>& events) {
    std::vector<std::string> names;
    for (const TakenEvent& event : events) {
      names.push_back(absl::StrFormat("%s@%d", event.place.stream.id, event.place.version.value()));
    }
    return names;
  }
  // All that it reads, in pieces of `limit`.
  std::vector<std::string> ReadAll(KeyEvents& key, std::size_t limit) {
    std::deque<TakenEvent> events;
    while (true) {
      const std::size_t before = events.size();
      const absl::StatusOr<Found> found = key.Read(mailbox_.store().DurableHead(), limit, events);
      EXPECT_TRUE(found.ok()) << found.status();
      EXPECT_EQ(*found == Found::kSome, events.size() > before);
      EXPECT_LE(events.size() - before, limit);
      if (*found == Found::kNone) return NamesOf(events);
    }
  }

  Mailbox mailbox_;
};

TEST_F(KeyEventsTest, ReadsAStreamFromItsPlaceOn) {
  for (int i = 0; i < 5; ++i) {
    mailbox_.Credit("a");
    mailbox_.Note("a");
    mailbox_.Credit("b");
  }
  const ReactorType type = mailbox_.Type();
  const std::vector<TakenEvent> log = Log();
  for (const std::size_t limit : {1u, 2u, 100u}) {
    KeyEvents from(type, mailbox_.store(), "account/a", log[3].place, /*passed=*/false);
    EXPECT_THAT(ReadAll(from, limit), ElementsAre("a@3", "a@5", "a@7", "a@9"));
    KeyEvents behind(type, mailbox_.store(), "account/a", log[3].place, /*passed=*/true);
    EXPECT_THAT(ReadAll(behind, limit), ElementsAre("a@5", "a@7", "a@9"));
  }
}

TEST_F(KeyEventsTest, GoesNoFurtherThanWhatIsTaken) {
  mailbox_.Credit("a");
  const Checkpoint taken = mailbox_.store().DurableHead();
  mailbox_.Credit("a");
  for (const ReactorType& type : {mailbox_.Type(), MakeReactorType<Together>(Mailer{&mailbox_.outbox()})}) {
    KeyEvents key(type, mailbox_.store(), type.keys.empty() ? "account/a" : "odd", Log()[0].place, false);
    std::deque<TakenEvent> events;
    EXPECT_EQ(key.Read(taken, 10, events).value(), Found::kSome);
    EXPECT_EQ(key.Read(taken, 10, events).value(), Found::kNone);
    EXPECT_THAT(NamesOf(events), ElementsAre("a@1"));
    EXPECT_EQ(key.Read(mailbox_.store().DurableHead(), 10, events).value(), Found::kSome);
    EXPECT_THAT(NamesOf(events), ElementsAre("a@1", "a@2"));
  }
}

TEST_F(KeyEventsTest, ReadsADeclaredKeyOverAllPartitionsInTheOrderOfTheLog) {
  for (int i = 0; i < 40; ++i) mailbox_.Credit(absl::StrFormat("a%d", i % 13), i);
  const ReactorType type = MakeReactorType<Together>(Mailer{&mailbox_.outbox()});
  const std::vector<TakenEvent> log = Log();
  std::vector<std::string> expected;
  for (std::size_t i = 10; i < log.size(); i += 2) {
    expected.push_back(absl::StrFormat("%s@%d", log[i].place.stream.id, log[i].place.version.value()));
  }
  for (const std::size_t limit : {1u, 3u, 100u}) {
    KeyEvents from(type, mailbox_.store(), "even", log[10].place, /*passed=*/false);
    EXPECT_EQ(ReadAll(from, limit), expected);
    KeyEvents behind(type, mailbox_.store(), "even", log[8].place, /*passed=*/true);
    EXPECT_EQ(ReadAll(behind, limit), expected);
  }
}

TEST_F(KeyEventsTest, AStepHasAnEndWhereThereIsMuchThatIsNotWanted) {
  mailbox_.Credit("a");
  for (int i = 0; i < 3; ++i) {
    mailbox_.Append("a", std::vector<NewEvent>(
                             999, {.type = kNoted, .fingerprint = "", .payload = "", .event_time = {}, .tags = {}}));
  }
  mailbox_.Credit("a");
  const ReactorType type = mailbox_.Type();
  KeyEvents key(type, mailbox_.store(), "account/a", Log()[0].place, /*passed=*/true);
  std::deque<TakenEvent> events;
  EXPECT_EQ(key.Read(mailbox_.store().DurableHead(), 10, events).value(), Found::kMore);
  EXPECT_THAT(ReadAll(key, 10), ElementsAre("a@2999"));
}

TEST_F(KeyEventsTest, BeforeSequenceIsBeforeAllOfItAndNotFarBefore) {
  for (int i = 0; i < 200; ++i) mailbox_.Credit(absl::StrFormat("a%d", i % 17));
  const std::vector<TakenEvent> log = Log();
  for (const TakenEvent& event : log) {
    const Checkpoint before = BeforeSequence(mailbox_.store(), event.place.sequence).value();
    for (const TakenEvent& other : log) {
      const bool is_behind = other.place.position.offset > before.offsets[other.place.position.partition.value()];
      // Each commit was a group of its own, so no chunk has events of two.
      EXPECT_EQ(is_behind, other.place.sequence >= event.place.sequence);
    }
  }
  EXPECT_EQ(BeforeSequence(mailbox_.store(), Sequence(1)).value(), BeginningOf(mailbox_.store()));
  EXPECT_EQ(BeforeSequence(mailbox_.store(), mailbox_.store().DurableSequence().Next()).value(),
            mailbox_.store().DurableHead());
}

}  // namespace
}  // namespace everfold
