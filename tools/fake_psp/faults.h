// What goes wrong between a provider and its callers: seeded, so that a run can be had again.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace psp {

// Shares of 0 to 1 of all calls, or of all notifications.
struct FaultOptions {
  std::uint64_t seed = 1;
  // The request gets lost: nothing is done, and the caller hears nothing.
  double drop_request = 0;
  // It is done, and the answer gets lost.
  double drop_answer = 0;
  // Of what is lost, the share whose callers are left waiting; the others see a broken connection at once.
  double hang = 0.2;
  // The answer is late, by up to `most_delay`.
  double delay = 0;
  // The request arrives twice; a notification is told twice.
  double twice = 0;
  // A notification is told after the next one.
  double reorder = 0;
  // The payer's bank says no.
  double decline = 0;
  // The payer's bank answers later, after up to `most_delay`.
  double pending = 0;
  absl::Duration most_delay = absl::Milliseconds(200);
};

// What happens to one call.
struct CallFaults {
  bool drop_request = false;
  bool drop_answer = false;
  bool hang = false;
  bool twice = false;
  absl::Duration delay = absl::ZeroDuration();
};

// What the bank does about one authorization.
struct BankFaults {
  bool decline = false;
  bool pending = false;
  absl::Duration delay = absl::ZeroDuration();
};

struct NotificationFaults {
  bool twice = false;
  bool reorder = false;
};

// Threading: immutable.
class Faults {
 public:
  explicit Faults(const FaultOptions& options) : options_(options) {}

  // `attempt` counts the calls under this key: another one may fare better.
  CallFaults OfCall(const std::string& key, std::uint64_t attempt) const;
  // The same whenever it is asked for, also by another process.
  BankFaults OfBank(const std::string& key) const;
  NotificationFaults OfNotification(std::int64_t number, std::uint64_t watcher) const;

 private:
  class Dice;
  const FaultOptions options_;
};

}  // namespace psp
