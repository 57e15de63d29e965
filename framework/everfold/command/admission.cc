#include "everfold/command/admission.h"

#include "everfold/command/overloaded.h"

namespace everfold {

Admission::Admission(std::size_t max_commands, std::size_t max_bytes)
    : max_commands_(max_commands),
      max_bytes_(max_bytes),
      too_many_(Overloaded("commands under way", max_commands)),
      too_large_(Overloaded("bytes of commands under way", max_bytes)) {}

absl::StatusOr<Admission::Place> Admission::Enter(std::size_t bytes) {
  if (taken_->commands.fetch_add(1, std::memory_order_relaxed) >= max_commands_) {
    taken_->commands.fetch_sub(1, std::memory_order_relaxed);
    return too_many_;
  }
  const std::size_t others = taken_->bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (others > 0 && others + bytes > max_bytes_) {
    Leave(*taken_, bytes);
    return too_large_;
  }
  return Place(taken_, bytes);
}

void Admission::Leave(Taken& taken, std::size_t bytes) {
  taken.bytes.fetch_sub(bytes, std::memory_order_relaxed);
  taken.commands.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace everfold
