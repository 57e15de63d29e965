#include "everfold/runtime/asio_executor.h"

#include <boost/asio/defer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "everfold/base/check.h"
#include "everfold/runtime/timer_thread.h"

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

}  // namespace

// Timers wait on a thread of their own, because the pool can only be joined when nothing waits in it.
struct AsioExecutor::Pool {
  explicit Pool(int threads) : threads(static_cast<std::size_t>(threads)) {}
  ~Pool() { Join(); }

  void Join() {
    timers.Stop();
    threads.join();
  }

  asio::thread_pool threads;
  TimerThread timers{[this](Task task) { asio::post(threads, std::move(task)); }};
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

void AsioExecutor::PostNext(Task task) { asio::defer(pool_->threads, std::move(task)); }

std::unique_ptr<Strand> AsioExecutor::MakeStrand() { return std::make_unique<AsioStrand>(pool_->threads); }

std::unique_ptr<Timer> AsioExecutor::PostAfter(absl::Duration delay, Task task) {
  return pool_->timers.After(delay, std::move(task));
}

void AsioExecutor::Join() { pool_->Join(); }

}  // namespace everfold
