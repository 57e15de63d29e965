// A payment provider in a simulation's one thread and on its virtual time, with the books of the fake one: they outlive
// the shop's crashes, answers do not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/testing/scratch_directory.h"
#include "processes/payment_provider.h"
#include "tools/fake_psp/books.h"

namespace shop::v1 {

struct SimulatedProviderOptions {
  std::uint64_t seed = 1;
  // A planted bug: every request is booked under a key of its own.
  bool forgets_keys = false;
};

// Threading: one thread.
class SimulatedProvider final : public PaymentProvider {
 public:
  explicit SimulatedProvider(const SimulatedProviderOptions& options);

  // REQUIRES: called before anything is asked; the executor outlives the last question.
  void RunOn(everfold::ManualExecutor& executor) { executor_ = &executor; }
  // From now on nothing gets lost, and the bank answers at once.
  void CalmDown() { calm_ = true; }
  psp::v1::BooksReport Report() const { return books_->Report().value(); }
  // Calls whose request or answer got lost.
  int lost() const { return lost_; }

  void Ask(const psp::v1::AuthorizeRequest& request, absl::Time deadline, Done done) override;
  void Ask(const psp::v1::CaptureRequest& request, absl::Time deadline, Done done) override;
  void Ask(const psp::v1::ReleaseRequest& request, absl::Time deadline, Done done) override;
  void Ask(const psp::v1::RefundRequest& request, absl::Time deadline, Done done) override;

 private:
  using Work = std::function<absl::StatusOr<psp::v1::Operation>()>;
  template <class Request>
  Request Keyed(Request request);
  bool Falls(int percent) { return random_.Below(100) < static_cast<std::uint64_t>(percent); }
  void Do(const Work& work, absl::Time deadline, Done done);
  void AnswerLater(absl::Duration delay, absl::StatusOr<psp::v1::Operation> operation, Done done);

  const SimulatedProviderOptions options_;
  everfold::testing::ScratchDirectory directory_;
  std::unique_ptr<psp::Books> books_;
  everfold::SeededRandom random_;
  everfold::ManualExecutor* executor_ = nullptr;
  std::vector<std::unique_ptr<everfold::Timer>> answers_;
  bool calm_ = false;
  int lost_ = 0;
  int calls_ = 0;
};

}  // namespace shop::v1
