// One fault at a time around boundaries, by macro; without any it compiles.
#include "hall/v1/hall.everfold.h"

namespace hall::v1 {

using everfold::BoundaryDecision;
using everfold::BoundaryQuery;
using everfold::Context;
using everfold::Emit;
using everfold::EventsWith;
using everfold::Reject;
using everfold::Tag;
using everfold::To;

struct SeatingDecider {
  using Boundary = Seating;
#if defined(QUERY_BY_A_TAG_THAT_IS_NONE)
  static auto Query(const TakeSeats&) { return EventsWith<SeatsTaken>(Tag<"seat_id">("1")); }
#elif defined(QUERY_WITHOUT_TAGS)
  static auto Query(const TakeSeats&) { return EventsWith<SeatsTaken>(); }
#elif defined(QUERY_OF_OTHER_EVENTS)
  static BoundaryQuery<SeatRemoved> Query(const TakeSeats&) {
    BoundaryQuery<SeatRemoved> query;
    return query.Add(EventsWith<SeatsTaken>(Tag<"seat">("1")));
  }
#elif defined(QUERY_OF_ANOTHER_RESULT)
  static everfold::EventQuery Query(const TakeSeats&) { return {}; }
#elif !defined(MISSING_QUERY)
  static auto Query(const TakeSeats&) { return EventsWith<SeatsTaken>(Tag<"seat">("1"), Tag<"row">(7)); }
#endif

#if defined(EMITS_TO_NO_STREAM)
  static BoundaryDecision<Seating> Decide(const Seating&, const TakeSeats&, Context&) {
    return Emit(MakeSeatsTaken({}));
  }
#elif defined(EMITS_NO_EVENT)
  static BoundaryDecision<Seating> Decide(const Seating&, const TakeSeats&, Context&) {
    return Emit(To("1", MakeSeatIsTaken({})));
  }
#elif defined(REJECTS_WITH_NO_REJECTION)
  static BoundaryDecision<Seating> Decide(const Seating&, const TakeSeats&, Context&) {
    return Reject(MakeSeatsTaken({}));
  }
#elif defined(DECIDE_ON_ANOTHER_STATE)
  static BoundaryDecision<Seating> Decide(const Seat&, const TakeSeats&, Context&) {
    return Emit(To("1", MakeSeatsTaken({})));
  }
#else
  static BoundaryDecision<Seating> Decide(const Seating& s, const TakeSeats&, Context&) {
    if (s.taken_size() > 0) return Reject(MakeSeatIsTaken({}));
    std::vector<everfold::Addressed<SeatsTaken> > several;
    several.push_back(To("1", MakeSeatsTaken({})));
    return Emit(To("2", MakeSeatsTaken({}), std::vector<SeatRemoved>(2)), several);
  }
#endif

#if !defined(MISSING_EVOLVE_OF_A_QUERY)
  static void Evolve(Seating&, const SeatsTaken&) {}
#endif
};

everfold::BoundaryType Boundary() { return everfold::MakeBoundaryType<SeatingDecider>(); }

}  // namespace hall::v1
