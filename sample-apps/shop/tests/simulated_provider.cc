#include "simulated_provider.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace shop::v1 {

SimulatedProvider::SimulatedProvider(const SimulatedProviderOptions& options)
    : options_(options),
      books_(psp::Books::Open(directory_.path() + "/books.db").value()),
      random_(options.seed * 7919) {}

template <class Request>
Request SimulatedProvider::Keyed(Request request) {
  if (options_.forgets_keys) request.set_key(absl::StrCat(request.key(), "/", ++calls_));
  return request;
}

void SimulatedProvider::Ask(const psp::v1::AuthorizeRequest& request, absl::Time deadline, Done done) {
  psp::BankAnswer answer;
  answer.declined = Falls(10);
  if (!calm_ && Falls(25)) {
    answer.due = executor_->clock().Now() + absl::Seconds(static_cast<std::int64_t>(random_.Below(60)));
  }
  Do([this, request, answer] { return books_->Authorize(Keyed(request), answer); }, deadline, std::move(done));
}

void SimulatedProvider::Ask(const psp::v1::CaptureRequest& request, absl::Time deadline, Done done) {
  Do([this, request] { return books_->Capture(Keyed(request)); }, deadline, std::move(done));
}

void SimulatedProvider::Ask(const psp::v1::ReleaseRequest& request, absl::Time deadline, Done done) {
  Do([this, request] { return books_->Release(Keyed(request)); }, deadline, std::move(done));
}

void SimulatedProvider::Ask(const psp::v1::RefundRequest& request, absl::Time deadline, Done done) {
  Do([this, request] { return books_->Refund(Keyed(request)); }, deadline, std::move(done));
}

void SimulatedProvider::Do(const Work& work, absl::Time deadline, Done done) {
  static_cast<void>(books_->Settle(executor_->clock().Now()).value());
  const bool drops_request = !calm_ && Falls(12);
  const bool drops_answer = !calm_ && Falls(12);
  absl::StatusOr<psp::v1::Operation> operation = absl::UnavailableError("lost");
  if (!drops_request) operation = work();
  if (!drops_request && !calm_ && Falls(15)) operation = work();
  if (drops_request || drops_answer) {
    ++lost_;
    const absl::Duration patience = deadline - executor_->clock().Now();
    return AnswerLater(Falls(50) ? patience : absl::ZeroDuration(), absl::UnavailableError("lost"), std::move(done));
  }
  const bool is_late = !calm_ && Falls(30);
  AnswerLater(is_late ? absl::Milliseconds(static_cast<std::int64_t>(random_.Below(8000))) : absl::ZeroDuration(),
              std::move(operation), std::move(done));
}

void SimulatedProvider::AnswerLater(absl::Duration delay, absl::StatusOr<psp::v1::Operation> operation, Done done) {
  answers_.push_back(executor_->PostAfter(
      delay, [operation = std::move(operation), done = std::move(done)]() mutable { done(std::move(operation)); }));
}

}  // namespace shop::v1
