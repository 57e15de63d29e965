#include "everfold/runtime/asio_executor.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "everfold/base/check.h"

namespace everfold {
namespace {

namespace asio = boost::asio;

class AsioStrand final : public Strand {
 public:
  explicit AsioStrand(asio::thread_pool& pool) : strand_(asio::make_strand(pool)) {}
  void Post(Task task) override { asio::post(strand_, std::move(task)); }

 private:
  asio::strand<asio::thread_pool::executor_type> strand_;
};

// Whoever sets `claimed` first, the start of the task or the cancellation, decides whether it runs. Once it waits, the
// Asio timer is touched only on the thread of the timers.
class AsioTimer final : public Timer {
 public:
  AsioTimer(asio::io_context& timers, asio::thread_pool& pool, absl::Duration delay, Task task)
      : state_(std::make_shared<State>(timers)) {
    state_->timer.expires_after(absl::ToChronoNanoseconds(delay));
    state_->task = std::move(task);
    state_->timer.async_wait([&pool, state = state_](boost::system::error_code) {
      asio::post(pool, [state] {
        if (!state->claimed.exchange(true)) std::exchange(state->task, nullptr)();
      });
    });
  }
  ~AsioTimer() override {
    if (state_->claimed.exchange(true)) return;
    asio::post(state_->timer.get_executor(), [state = state_] { state->timer.cancel(); });
  }

 private:
  struct State {
    explicit State(asio::io_context& timers) : timer(timers) {}
    asio::steady_timer timer;
    Task task;
    std::atomic<bool> claimed = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace

// Timers wait on a thread of their own, because the pool can only be joined when nothing waits in it.
struct AsioExecutor::Pool {
  explicit Pool(int threads) : threads(static_cast<std::size_t>(threads)), timer_thread([this] { timers.run(); }) {}
  ~Pool() { Join(); }

  void Join() {
    timers.stop();
    if (timer_thread.joinable()) timer_thread.join();
    threads.join();
  }

  asio::thread_pool threads;
  asio::io_context timers{1};
  asio::executor_work_guard<asio::io_context::executor_type> open{timers.get_executor()};
  std::jthread timer_thread;
};

AsioExecutor::AsioExecutor(int threads) : pool_(std::make_unique<Pool>(threads)) {
  EVERFOLD_CHECK(threads >= 1);
#ifdef NDEBUG
  // Debian's Abseil is built with its debugging checks, of which this one takes a global lock for every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

AsioExecutor::~AsioExecutor() = default;

void AsioExecutor::Post(Task task) { asio::post(pool_->threads, std::move(task)); }

std::unique_ptr<Strand> AsioExecutor::MakeStrand() { return std::make_unique<AsioStrand>(pool_->threads); }

std::unique_ptr<Timer> AsioExecutor::PostAfter(absl::Duration delay, Task task) {
  return std::make_unique<AsioTimer>(pool_->timers, pool_->threads, delay, std::move(task));
}

void AsioExecutor::Join() { pool_->Join(); }

}  // namespace everfold
