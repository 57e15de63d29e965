// The provider at work: operations booked, the payer's bank waited for, and whoever watches told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "psp/v1/psp.pb.h"
#include "tools/fake_psp/books.h"
#include "tools/fake_psp/faults.h"

namespace psp {

// Is told that there may be something new. Called with the provider's mutex held: may call its After, and nothing that
// waits.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnNews(const Books& books) = 0;
};

// Threading: thread-safe. Has one thread of its own, which answers for the payer's bank.
class Provider {
 public:
  Provider(std::unique_ptr<Books> books, const FaultOptions& faults);
  // REQUIRES: no watcher is left.
  ~Provider();
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  const Faults& faults() const { return faults_; }

  // What goes wrong with the next call under this key.
  CallFaults NextCall(const std::string& key);

  absl::StatusOr<v1::Operation> Authorize(const v1::AuthorizeRequest& request);
  absl::StatusOr<v1::Operation> Capture(const v1::CaptureRequest& request);
  absl::StatusOr<v1::Operation> Release(const v1::ReleaseRequest& request);
  absl::StatusOr<v1::Operation> Refund(const v1::RefundRequest& request);
  absl::StatusOr<v1::Operation> Get(const std::string& key);

  // Tells it at once, and from now on.
  void Add(Watcher& watcher);
  // Afterwards it is told no more.
  void Remove(Watcher& watcher);
  // Runs `work` as OnNews is run.
  void Locked(const std::function<void(const Books&)>& work);

 private:
  void TellAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerForBank();

  const Faults faults_;
  absl::Mutex mutex_;
  const std::unique_ptr<Books> books_ ABSL_PT_GUARDED_BY(mutex_);
  // Calls so far. As many as there are keys: this is a provider for tests.
  absl::flat_hash_map<std::string, std::uint64_t> attempts_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::CondVar bank_has_work_;
  std::thread bank_;
};

}  // namespace psp
