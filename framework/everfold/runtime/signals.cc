#include "everfold/runtime/signals.h"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace everfold {

struct SignalWaiter::Listener {
  explicit Listener(absl::AnyInvocable<void(int)> tell) : tell(std::move(tell)) { Listen(); }

  void Listen() {
    signals.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;  // the waiter is being destroyed
      tell(signal);
      Listen();
    });
  }

  absl::AnyInvocable<void(int)> tell;
  boost::asio::io_context context;
  boost::asio::signal_set signals{context, SIGINT, SIGTERM};
};

SignalWaiter::SignalWaiter(int impatient_exit_code)
    : impatient_exit_code_(impatient_exit_code),
      listener_(std::make_unique<Listener>([this](int signal) { OnSignal(signal); })),
      thread_([this] { listener_->context.run(); }) {
  pthread_setname_np(thread_.native_handle(), "everfold-signal");
}

SignalWaiter::~SignalWaiter() { listener_->context.stop(); }

void SignalWaiter::OnSignal(int signal) {
  MutexLock lock(&mutex_);
  // Without destructors: they would wait for what the first signal has begun to end.
  if (signal_.has_value()) std::_Exit(impatient_exit_code_);
  signal_ = signal;
}

std::optional<int> SignalWaiter::WaitFor(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &SignalWaiter::HasSignal), timeout);
  return signal_;
}

}  // namespace everfold
