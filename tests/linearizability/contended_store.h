// A store as those see it who contend for its streams: the one place here that knows the store's interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"
#include "tests/linearizability/history.h"

namespace everfold {

inline constexpr std::uint32_t kContendedPartitions = 4;
inline constexpr StreamNumber kContendedStreams = 6;

// Threading: thread-safe, but for Open.
class ContendedStore {
 public:
  // Of files so small that sealing and writing of the index never rest.
  static absl::StatusOr<std::unique_ptr<ContendedStore>> Open(const std::string& directory, std::uint64_t seed);

  // Blocks until it is answered. Fills in what it was told; an error is an answer that there should not be.
  absl::Status Append(AppendCall& append);
  absl::Status ReadVersion(ReadCall& read) const;
  // At most `limit` events behind read.after.
  absl::Status ReadEvents(std::size_t limit, ReadCall& read) const;

  // As in the log, of each partition.
  using Offsets = std::vector<std::uint64_t>;

  // Threading: one thread at a time.
  class Reader {
   public:
    Reader(std::unique_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {}
    // Refuses the event behind `limit` events, if `refuse`, or does not ask for it.
    absl::Status Pull(std::size_t limit, bool refuse, PullCall& pull);
    Offsets checkpoint() const;

   private:
    const std::unique_ptr<Subscription> subscription_;
  };
  absl::StatusOr<std::unique_ptr<Reader>> StartReader(const Offsets& checkpoint) const;
  std::unique_ptr<EventStore::Watch> WatchDurable(EventStore::Hint hint) { return store_->WatchDurable(std::move(hint)); }

 private:
  ContendedStore() : executor_(2) {}

  SystemRandom random_;
  SystemClock clock_;
  AsioExecutor executor_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<EventStore> store_;
};

}  // namespace everfold
