// The decider of a boundary behind its table of functions: stored events of every form, and faults of user code.
#include "everfold/decide/boundary_type.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "hall/v1/hall.everfold.h"

namespace everfold {
namespace {

using hall::v1::MakeSeatRemoved;
using hall::v1::MakeSeatsTaken;
using hall::v1::Seating;
using hall::v1::SeatIsTaken;
using hall::v1::SeatRemoved;
using hall::v1::SeatsTaken;
using hall::v1::TakeSeats;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

struct SeatingDecider {
  using Boundary = Seating;
  static BoundaryQuery<SeatsTaken> Query(const TakeSeats& c) {
    if (c.guest_id() == "lost") throw std::runtime_error("nobody knows");
    BoundaryQuery<SeatsTaken> query;
    for (const std::string& seat : c.seat_ids()) query.Add(EventsWith<SeatsTaken>(Tag<"seat">(seat)));
    return query;
  }
  static BoundaryDecision<Seating> Decide(const Seating& s, const TakeSeats& c, Context&) {
    if (s.taken_size() > 0) return Reject(hall::v1::MakeSeatIsTaken({.seat_id = s.taken(0)}));
    if (c.seat_ids().empty()) return Nothing();
    std::vector<Addressed<SeatsTaken>> each;
    for (const std::string& seat : c.seat_ids()) each.push_back(To(seat, MakeSeatsTaken({.guest_id = c.guest_id()})));
    return Emit(To("first", std::vector<SeatRemoved>(2), MakeSeatsTaken({})), each);
  }
  static void Evolve(Seating& s, const SeatsTaken& e) {
    if (e.guest_id() == "ghost") throw 13;
    for (const std::string& seat : e.seat_ids()) s.add_taken(seat);
  }
};

class BoundaryTypeTest : public ::testing::Test {
 protected:
  absl::StatusOr<AnyBoundaryDecision> Decide(const TakeSeats& command) {
    SeededRandom random(1);
    const Metadata metadata;
    const StreamId none;
    Context context(absl::UnixEpoch(), none, Version(), metadata, random);
    return type_.Decide(type_.commands.at("hall.v1.TakeSeats"), state_.get(), command, context);
  }
  static TakeSeats Take(std::vector<std::string> seats, const std::string& guest = "anna") {
    TakeSeats command;
    command.set_guest_id(guest);
    for (const std::string& seat : seats) command.add_seat_ids(seat);
    return command;
  }
  absl::Status Evolve(const std::string& type, const std::string& payload) {
    return type_.EvolveStored(state_.get(), type, payload);
  }
  static std::string Taken(const std::string& seat, const std::string& guest = "anna") {
    SeatsTaken taken;
    taken.set_guest_id(guest);
    taken.add_seat_ids(seat);
    return taken.SerializeAsString();
  }

  BoundaryType type_ = MakeBoundaryType<SeatingDecider>();
  BoundaryState state_ = type_.new_state();
};

TEST_F(BoundaryTypeTest, HasWhatIsDeclaredAndWhatQueriesName) {
  EXPECT_EQ(type_.name, "seats");
  EXPECT_THAT(type_.events, UnorderedElementsAre(Key("hall.v1.SeatsTaken")));
  EXPECT_THAT(type_.rejections, UnorderedElementsAre(Key("hall.v1.SeatIsTaken")));
  const BoundaryCommandType& command = type_.commands.at("hall.v1.TakeSeats");
  EXPECT_TRUE(command.type.needs_request_id);
  EXPECT_TRUE(command.type.records_outcomes);
}

TEST_F(BoundaryTypeTest, AsksForWhatACommandReliesOn) {
  const absl::StatusOr<EventQuery> query = type_.Query(type_.commands.at("hall.v1.TakeSeats"), Take({"1", "2"}));
  ASSERT_TRUE(query.ok()) << query.status();
  ASSERT_EQ(query->items.size(), 2u);
  EXPECT_THAT(query->items[1].tags, ElementsAre("seat:2"));
  EXPECT_THAT(query->items[1].types, ElementsAre("hall.v1.SeatsTaken"));
}

TEST_F(BoundaryTypeTest, EventsGoToTheStreamsThatTheyAreAddressedTo) {
  const absl::StatusOr<AnyBoundaryDecision> decision = Decide(Take({"1", "2"}));
  ASSERT_TRUE(decision.ok()) << decision.status();
  std::vector<std::string> to;
  for (const AddressedEvent& event : decision->events) {
    to.push_back(event.aggregate + "/" + event.id + " " + event.event->GetDescriptor()->name());
  }
  EXPECT_THAT(to, ElementsAre("seat/first SeatRemoved", "seat/first SeatRemoved", "seat/first SeatsTaken",
                              "seat/1 SeatsTaken", "seat/2 SeatsTaken"));
}

TEST_F(BoundaryTypeTest, DecidesOnWhatItHasFolded) {
  EXPECT_TRUE(Decide(Take({}))->events.empty());
  EXPECT_EQ(Evolve("hall.v1.SeatsTaken", Taken("7")), absl::OkStatus());
  const absl::StatusOr<AnyBoundaryDecision> decision = Decide(Take({"7"}));
  ASSERT_TRUE(decision->rejected());
  EXPECT_EQ(decision->rejection.code, absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(dynamic_cast<const SeatIsTaken&>(*decision->rejection.message).seat_id(), "7");
}

TEST_F(BoundaryTypeTest, EvolvesStoredFormsOfItsEvents) {
  AggregateType aggregate{.name = "seat", .commands = {}, .events = {}};
  aggregate.stored_forms.emplace(
      "hall.v1.Taken", StoredForm{.name = "hall.v1.Taken", .becomes = "hall.v1.SeatsTaken", .fingerprint = {}});
  aggregate.stored_forms.emplace("hall.v1.SeatSold",
                                 StoredForm{.name = "hall.v1.SeatSold",
                                            .becomes = "hall.v1.SeatsTaken",
                                            .fingerprint = {},
                                            .upcast = [](std::string_view payload) -> std::optional<std::string> {
                                              if (payload.empty()) return std::nullopt;
                                              return Taken("sold" + std::string(payload));
                                            }});
  aggregate.stored_forms.emplace(
      "hall.v1.Gone", StoredForm{.name = "hall.v1.Gone", .becomes = "hall.v1.SeatRemoved", .fingerprint = {}});
  type_.AddStoredForms(aggregate);
  EXPECT_THAT(type_.stored_forms, UnorderedElementsAre(Key("hall.v1.Taken"), Key("hall.v1.SeatSold")));
  EXPECT_EQ(Evolve("hall.v1.Taken", Taken("7")), absl::OkStatus());
  EXPECT_EQ(Evolve("hall.v1.SeatSold", "8"), absl::OkStatus());
  EXPECT_THAT(static_cast<const Seating*>(state_.get())->taken(), ElementsAre("7", "sold8"));
  EXPECT_EQ(ReasonOf(Evolve("hall.v1.SeatSold", "")), reason::kDataLoss);
}

TEST_F(BoundaryTypeTest, RefusesWhatItCannotFold) {
  const absl::Status unknown = Evolve("hall.v1.SeatRemoved", "");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(unknown), reason::kUnknownType);
  EXPECT_EQ(ReasonOf(Evolve("hall.v1.SeatsTaken", "\xff\xff")), reason::kDataLoss);
}

TEST_F(BoundaryTypeTest, WhatUserCodeThrowsIsAnError) {
  const absl::Status evolve = Evolve("hall.v1.SeatsTaken", Taken("1", "ghost"));
  EXPECT_EQ(ReasonOf(evolve), reason::kDeciderFailed);
  EXPECT_THAT(std::string(evolve.message()), HasSubstr("Evolve(seats, hall.v1.SeatsTaken) threw"));
  const absl::Status query = type_.Query(type_.commands.at("hall.v1.TakeSeats"), Take({}, "lost")).status();
  EXPECT_EQ(ReasonOf(query), reason::kDeciderFailed);
  EXPECT_THAT(std::string(query.message()), HasSubstr("Query(seats, hall.v1.TakeSeats) threw: nobody knows"));
}

}  // namespace
}  // namespace everfold
