// The commits that append conditions are compared with in memory: those on their way, and those that became durable a
// moment ago.
//
// A condition was compared with the index on its caller's thread, so that only commits that came since are left; they
// are here, unless the window has begun later. Then the committer asks the index once more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/store/prepared_append.h"
#include "everfold/store/store_index.h"

namespace everfold {

// While no append has a condition, it does no more than remember what is on its way.
//
// Threading: one thread, the committer's. Lifetime: not longer than the index; commits that were placed stay until they
// are settled or abandoned.
class BoundaryWindow {
 public:
  // `settled`: the last commit that is durable and in the index.
  BoundaryWindow(const StoreIndex& index, Sequence settled) : index_(index), begin_(settled) {}

  // ABORTED (CONDITION_FAILED) if the request has a condition that does not hold; errors of the index.
  absl::Status Check(const PreparedAppend& request);
  // The request has become the next commit: its result tells where its events will be.
  void Place(const PreparedAppend& request) { placed_.push_back(&request); }
  // All commits up to `last` are durable and in the index.
  void Settle(Sequence last);
  // None of the commits behind `settled` will ever be durable; their sequences are given again.
  void Abandon(Sequence settled);

 private:
  struct Event {
    TaggedEvent at;
    NameKey tenant;
    NameKey type;
    std::uint32_t first_tag = 0;  // in Page::tags
    std::uint32_t tags = 0;
  };
  // Events of one key, the last one first.
  struct Link {
    std::uint32_t event = 0;
    std::uint32_t before = 0;  // in Page::links; 0: none
  };
  // Of commits that follow on each other.
  struct Page {
    std::vector<Event> events;
    std::vector<NameKey> tags;
    std::vector<Link> links{Link{}};
    absl::flat_hash_map<std::uint64_t, std::uint32_t> last;  // link of each key, by half of it
    Sequence end;                                            // its last commit

    void Add(const Event& event, const NameKey* first, const NameKey* behind);
    void AddLink(const NameKey& key);
    void Clear();
    bool Has(const Event& event, const KeyedItem& item) const;
    const Event* Find(const PreparedCondition& condition) const;
    const Event* FindAny(const PreparedCondition& condition) const;
    const Event* FindItem(const KeyedItem& item, Sequence after) const;
    const Event* FindAlong(const NameKey& key, const KeyedItem& item, Sequence after) const;
  };

  absl::StatusOr<std::optional<TaggedEvent>> FindMatch(const PreparedAppend& request);
  void TakePlaced();
  void Take(const PreparedAppend& commit);
  void TakeEvents(const PreparedAppend& commit, std::size_t stream, std::size_t first_event, NameKey tenant);
  void Forget(Sequence settled);
  void BeginBehind(Sequence settled);
  void Rotate(Sequence settled);

  const StoreIndex& index_;
  Sequence begin_;                            // events of commits behind it are in the pages, or placed
  std::deque<const PreparedAppend*> placed_;  // and not yet taken into a page
  Page older_;
  Page filling_;
  int kept_groups_ = 0;  // for so many more the pages are kept, without a condition

  // Scratch of Take: of the commit's parts, how many types, and how many unknown ones, were taken.
  struct Taken {
    std::size_t types = 0;
    std::size_t unknown = 0;
  };
  std::vector<Taken> taken_;
  std::size_t tagged_ = 0;
};

}  // namespace everfold
