// Tells those who watch a projection's rows that they may have changed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/projection/projection.h"

namespace everfold {

// Asks the projection for its next change as long as somebody wants to know, and not otherwise: one wait, however many
// watch.
// Threading: thread-safe. Lifetime: the projection outlives it, or Close; it may be destroyed while waits are under
// way.
class ChangeHints {
 public:
  // OK: rows may have changed. Anything else is the last hint: the projection has stopped, or closes. Called with a
  // lock held: it must not call back.
  using Hint = std::function<void(const absl::Status&)>;

  explicit ChangeHints(Projection& projection);
  ~ChangeHints() { Close(); }
  ChangeHints(const ChangeHints&) = delete;
  ChangeHints& operator=(const ChangeHints&) = delete;

  // What changes from now on hints, several changes perhaps once.
  std::uint64_t Add(Hint hint);
  // The hint is not called any more when this returns.
  void Remove(std::uint64_t id);
  std::size_t size() const;
  // No hint is called any more, and the projection not asked.
  void Close();

 private:
  // Owned by the waits, too, so that one that ends late has something to ask.
  struct State {
    explicit State(Projection& p) : projection(p) {}
    Projection& projection;
    Mutex mutex;
    std::map<std::uint64_t, Hint> hints ABSL_GUARDED_BY(mutex);
    std::uint64_t last_id ABSL_GUARDED_BY(mutex) = 0;
    std::optional<std::uint64_t> wait ABSL_GUARDED_BY(mutex);
    std::uint64_t round ABSL_GUARDED_BY(mutex) = 0;  // counts waits
    bool closed ABSL_GUARDED_BY(mutex) = false;
  };

  static void Wait(const std::shared_ptr<State>& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state->mutex);
  static void Cancel(State& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex);
  static void Changed(const std::shared_ptr<State>& state, std::uint64_t round, const absl::Status& status);

  const std::shared_ptr<State> state_;
};

}  // namespace everfold
