#include "tools/fake_psp/faults.h"

#include <random>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace psp {

// Draws that a seed and a text decide, on every machine alike.
class Faults::Dice {
 public:
  Dice(std::uint64_t seed, std::string_view text) : engine_(seed) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    engine_.seed(seed ^ (hash * 0x9e3779b97f4a7c15));
  }

  double Draw() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  bool Falls(double share) { return Draw() < share; }
  absl::Duration UpTo(absl::Duration most) { return most * Draw(); }

 private:
  std::mt19937_64 engine_;
};

CallFaults Faults::OfCall(const std::string& key, std::uint64_t attempt) const {
  Dice dice(options_.seed, absl::StrCat("call ", attempt, " ", key));
  CallFaults faults;
  faults.drop_request = dice.Falls(options_.drop_request);
  faults.drop_answer = dice.Falls(options_.drop_answer);
  faults.hang = dice.Falls(options_.hang);
  faults.twice = dice.Falls(options_.twice);
  const absl::Duration delay = dice.UpTo(options_.most_delay);
  if (dice.Falls(options_.delay)) faults.delay = delay;
  return faults;
}

BankFaults Faults::OfBank(const std::string& key) const {
  Dice dice(options_.seed, absl::StrCat("bank ", key));
  BankFaults faults;
  faults.decline = dice.Falls(options_.decline);
  faults.pending = dice.Falls(options_.pending);
  faults.delay = dice.UpTo(options_.most_delay);
  return faults;
}

NotificationFaults Faults::OfNotification(std::int64_t number, std::uint64_t watcher) const {
  Dice dice(options_.seed, absl::StrCat("notification ", watcher, " ", number));
  NotificationFaults faults;
  faults.twice = dice.Falls(options_.twice);
  faults.reorder = dice.Falls(options_.reorder);
  return faults;
}

}  // namespace psp
