#include "tools/fake_psp/provider.h"

#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace psp {

Provider::Provider(std::unique_ptr<Books> books, const FaultOptions& faults)
    : faults_(faults), books_(std::move(books)), bank_([this] { AnswerForBank(); }) {}

Provider::~Provider() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    bank_has_work_.Signal();
  }
  bank_.join();
}

CallFaults Provider::NextCall(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  return faults_.OfCall(key, ++attempts_[key]);
}

absl::StatusOr<v1::Operation> Provider::Authorize(const v1::AuthorizeRequest& request) {
  const BankFaults bank = faults_.OfBank(request.key());
  BankAnswer answer;
  answer.declined = bank.decline || absl::StartsWith(request.token(), "decline");
  if (bank.pending) answer.due = absl::Now() + bank.delay;
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<v1::Operation> operation = books_->Authorize(request, answer);
  if (bank.pending) bank_has_work_.Signal();
  TellAll();
  return operation;
}

absl::StatusOr<v1::Operation> Provider::Capture(const v1::CaptureRequest& request) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<v1::Operation> operation = books_->Capture(request);
  TellAll();
  return operation;
}

absl::StatusOr<v1::Operation> Provider::Release(const v1::ReleaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<v1::Operation> operation = books_->Release(request);
  TellAll();
  return operation;
}

absl::StatusOr<v1::Operation> Provider::Refund(const v1::RefundRequest& request) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<v1::Operation> operation = books_->Refund(request);
  TellAll();
  return operation;
}

absl::StatusOr<v1::Operation> Provider::Get(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  return books_->Get(key);
}

void Provider::Add(Watcher& watcher) {
  absl::MutexLock lock(&mutex_);
  watchers_.insert(&watcher);
  watcher.OnNews(*books_);
}

void Provider::Remove(Watcher& watcher) {
  absl::MutexLock lock(&mutex_);
  watchers_.erase(&watcher);
}

void Provider::Locked(const std::function<void(const Books&)>& work) {
  absl::MutexLock lock(&mutex_);
  work(*books_);
}

void Provider::TellAll() {
  for (Watcher* watcher : watchers_) watcher->OnNews(*books_);
}

void Provider::AnswerForBank() {
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::StatusOr<std::optional<absl::Time>> next = books_->Settle(absl::Now());
    // Whoever asks for the payment is told as well; here nobody listens but people.
    if (!next.ok()) std::cerr << next.status() << std::endl;
    TellAll();
    const std::optional<absl::Time> due = next.ok() ? *next : absl::Now() + absl::Seconds(1);
    bank_has_work_.WaitWithDeadline(&mutex_, due.value_or(absl::InfiniteFuture()));
  }
}

}  // namespace psp
