// absl::Mutex and absl::Notification, in a form that ThreadSanitizer can see through: the distributions' Abseil is not
// instrumented, so without these annotations every lock of ours would look like none. Without ThreadSanitizer they are
// Abseil's own, and cost nothing.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace everfold {

#ifndef __SANITIZE_THREAD__

using Mutex = absl::Mutex;
using MutexLock = absl::MutexLock;
using ReaderMutexLock = absl::ReaderMutexLock;
using Notification = absl::Notification;

#else

// Waits by a condition variable, because absl::Mutex asks a condition while it holds the lock unseen.
class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mutex_.Lock();
    __tsan_acquire(this);
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    __tsan_release(this);
    changed_.SignalAll();
    mutex_.Unlock();
  }
  void Await(const absl::Condition& condition) { AwaitWithDeadline(condition, absl::InfiniteFuture()); }
  // At least this long since the lock was last given back by anybody.
  bool AwaitWithTimeout(const absl::Condition& condition, absl::Duration timeout) {
    return AwaitBy(condition, [&] { return changed_.WaitWithTimeout(&mutex_, timeout); });
  }
  bool AwaitWithDeadline(const absl::Condition& condition, absl::Time deadline) {
    return AwaitBy(condition, [&] { return changed_.WaitWithDeadline(&mutex_, deadline); });
  }
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() { mutex_.AssertHeld(); }
  void AssertReaderHeld() const ABSL_ASSERT_SHARED_LOCK() { mutex_.AssertReaderHeld(); }

 private:
  // `wait` gives the lock back meanwhile, and tells whether its time is over.
  template <class Wait>
  bool AwaitBy(const absl::Condition& condition, Wait wait) {
    bool expired = false;
    while (!condition.Eval() && !expired) {
      __tsan_release(this);
      expired = wait();
      __tsan_acquire(this);
    }
    return condition.Eval();
  }

  absl::Mutex mutex_;
  absl::CondVar changed_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};
using ReaderMutexLock = MutexLock;  // stricter than the real one

class Notification {
 public:
  void Notify() {
    __tsan_release(this);
    notification_.Notify();
  }
  bool HasBeenNotified() const {
    const bool notified = notification_.HasBeenNotified();
    if (notified) __tsan_acquire(const_cast<Notification*>(this));
    return notified;
  }
  void WaitForNotification() const {
    notification_.WaitForNotification();
    __tsan_acquire(const_cast<Notification*>(this));
  }
  bool WaitForNotificationWithTimeout(absl::Duration timeout) const {
    const bool notified = notification_.WaitForNotificationWithTimeout(timeout);
    if (notified) __tsan_acquire(const_cast<Notification*>(this));
    return notified;
  }

 private:
  absl::Notification notification_;
};

#endif

}  // namespace everfold
