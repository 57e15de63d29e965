// What a decision across streams relies on: the events with certain tags.
//
//   static auto Query(const EnrolStudent& c) {
//     return AnyOf(EventsWith<CourseDefined, StudentEnrolled>(Tag<"course_id">(c.course_id())),
//                  EventsWith<StudentEnrolled>(Tag<"student_id">(c.student_id())));
//   }
//
// Several tags in one EventsWith are all carried by the event. Where the number of parts is known only at run time:
//
//   BoundaryQuery<SeatTaken> query;
//   for (const std::string& seat : c.seats()) query.Add(EventsWith<SeatTaken>(Tag<"seat">(seat)));
//
// A query without parts relies on nothing: nothing is read, and what is decided depends on no event.
#pragma once

#include <string>
#include <utility>

#include "everfold/decide/tag.h"
#include "everfold/decide/traits.h"
#include "everfold/decide/types.h"
#include "everfold/event/event_query.h"

namespace everfold {

template <class... Events>
class BoundaryQuery;
template <class... E, class... T>
BoundaryQuery<E...> EventsWith(const T&... tags);

// Events are those that the decider needs an Evolve for.
template <class... Events>
class BoundaryQuery {
 public:
  BoundaryQuery() = default;

  template <class... E>
  BoundaryQuery& Add(BoundaryQuery<E...> other) {
    static_assert((kIsIn<E, Types<Events...>> && ...), "Add: an event that this query's type does not name");
    for (QueryItem& item : std::move(other).Release().items) query_.items.push_back(std::move(item));
    return *this;
  }
  EventQuery Release() && { return std::move(query_); }

 private:
  template <class... E, class... T>
  friend BoundaryQuery<E...> EventsWith(const T&... tags);
  explicit BoundaryQuery(QueryItem item) { query_.items.push_back(std::move(item)); }

  EventQuery query_;
};

namespace internal {

template <class... Queries>
struct UnionOf;
template <class... A>
struct UnionOf<BoundaryQuery<A...>> {
  using type = BoundaryQuery<A...>;
};
template <class... A, class... B, class... Rest>
struct UnionOf<BoundaryQuery<A...>, BoundaryQuery<B...>, Rest...> : UnionOf<BoundaryQuery<A..., B...>, Rest...> {};

template <class E, class... T>
constexpr bool CheckEventWith() {
  static_assert(
      requires { typename EventTraits<E>::Tags; },
      "EventsWith: this message is not an event; mark it `option (everfold.v1.message).event`");
  static_assert(!kIsIn<E, typename AggregateOf<typename EventTraits<E>::Aggregate>::Superseded>,
                "EventsWith: this event is superseded; name the one that it is upcast to, and it is found as well");
  static_assert((kIsIn<T, typename EventTraits<E>::Tags> && ...),
                "EventsWith: an event does not have this tag; mark a field of it [(everfold.v1.field).tag = true]");
  return true;
}

}  // namespace internal

// Events of one of these types that carry all of these tags.
template <class... E, class... T>
BoundaryQuery<E...> EventsWith(const T&... tags) {
  static_assert(sizeof...(E) > 0, "EventsWith: name the events, EventsWith<CourseDefined>(...)");
  static_assert(sizeof...(T) > 0, "EventsWith: name a tag; without one the whole log would be read");
  static_assert((internal::CheckEventWith<E, T...>() && ...));
  return BoundaryQuery<E...>(QueryItem{.types = {EventTraits<E>::kName...}, .tags = {tags.text()...}});
}

// Events that one of the queries meets.
template <class... Queries>
typename internal::UnionOf<Queries...>::type AnyOf(Queries... queries) {
  typename internal::UnionOf<Queries...>::type all;
  (all.Add(std::move(queries)), ...);
  return all;
}

}  // namespace everfold
