#include "everfold/app/parts.h"

#include <gtest/gtest.h>

#include "tests/unit/app/tally.h"

namespace everfold {
namespace {

void ExpectRefused(const Parts& parts, const std::string& message) {
  const absl::Status status = parts.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), message);
}

TEST(Parts, AreValidWhenEveryNameIsThereOnce) {
  EXPECT_EQ(Parts().Validate(), absl::OkStatus());
  EXPECT_EQ(TallyParts().Validate(), absl::OkStatus());
}

TEST(Parts, RefuseTwoAggregatesOfOneName) {
  Parts parts = TallyParts();
  parts.aggregates.push_back(TallyAggregate());
  ExpectRefused(parts, "the name tally is there twice: in Aggregate #1 and in Aggregate #2");
}

TEST(Parts, RefuseACommandOfTwoAggregates) {
  Parts parts = TallyParts();
  parts.aggregates.push_back(TallyAggregate());
  parts.aggregates.back().name = "other";
  ExpectRefused(parts,
                "the command google.protobuf.StringValue is there twice: in aggregate tally and in aggregate other");
}

BoundaryType SomeBoundary() { return {.name = "seating", .events = {{"google.protobuf.StringValue", nullptr}}}; }

TEST(Parts, RefuseABoundaryOfAnAggregatesNameOrOnEventsOfNone) {
  Parts parts;
  parts.boundaries = {SomeBoundary()};
  ExpectRefused(parts,
                "the boundary seating relies on events google.protobuf.StringValue, whose aggregate is no part; "
                "add it");
  parts.aggregates.push_back(
      {.name = "seating", .commands = {}, .events = {{"google.protobuf.StringValue", AggregateEvent()}}});
  ExpectRefused(parts, "the name seating is there twice: in Aggregate #1 and in Boundary #1");
  parts.aggregates[0].name = "seat";
  EXPECT_EQ(parts.Validate(), absl::OkStatus());
  parts.boundaries.push_back(SomeBoundary());
  ExpectRefused(parts, "the name seating is there twice: in Boundary #1 and in Boundary #2");
}

TEST(Parts, RefuseTwoReactorsOfOneNameAndOneThatCannotBe) {
  Parts parts = TallyParts();
  parts.reactors.push_back(TallyReactor([](const Reaction&) { return absl::OkStatus(); }));
  EXPECT_EQ(parts.Validate(), absl::OkStatus());
  parts.reactors.push_back(parts.reactors.front());
  ExpectRefused(parts, "the reactor echo is there twice: in Reactor #1 and in Reactor #2");
  parts.reactors.back().name = "Echo";
  ExpectRefused(parts, "reactor name \"Echo\" is not of the form [a-z][a-z0-9_]*, at most 64 bytes");
}

TEST(Parts, RefuseTwoProjectionsOfOneName) {
  Parts parts = TallyParts();
  parts.projections.push_back(TallyProjection());
  ExpectRefused(parts, "the projection tallies is there twice: in Projection #1 and in Projection #2");
}

TEST(Parts, RefuseAReadModelOfTwoProjections) {
  Parts parts = TallyParts();
  parts.projections.push_back(TallyProjection("others"));
  ExpectRefused(parts,
                "the read model tally.v1.TallyCount is there twice: in projection tallies and in projection others");
}

}  // namespace
}  // namespace everfold
