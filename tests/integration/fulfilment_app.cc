// Orders and their fulfilment as an application, with a provider of payments that keeps books and is not to be relied
// on.
//
//   FULFILMENT_BOOKS=FILE fulfilment_app serve ...
//
// The provider writes a line for each payment that it authorizes, "KEY ORDER", once for a key, and gives the first
// answer again. Of its answers some are lost, some come twice, and some calls are refused, or end without a word of
// whether they had an effect. For the order "down" there is no provider, and for
// "odd" an answer that the process cannot take.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <string>

#include "everfold/app/app.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "tests/unit/process/fulfilment.h"

namespace fulfil::v1 {
namespace {

class Books {
 public:
  explicit Books(const std::string& path) : file_(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600)) {
    std::ifstream lines(path);
    std::string key, order;
    while (lines >> key >> order) known_.insert(key);
  }
  ~Books() { close(file_); }

  // True if it is written, now or before.
  bool Write(const std::string& key, const std::string& order) {
    everfold::MutexLock lock(&mutex_);
    if (known_.contains(key)) return true;
    const std::string line = key + " " + order + "\n";
    if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return false;
    known_.insert(key);
    return true;
  }

 private:
  const int file_;
  everfold::Mutex mutex_;
  std::set<std::string> known_;
};

using Answer = std::function<void(absl::StatusOr<PaymentAuthorization>)>;

void Take(Books& books, const PaymentRequest& request, const everfold::ActivityCall& call, const Answer& answer) {
  if (request.order_id() == "down") return answer(absl::UnavailableError("the line is down"));
  if (request.order_id() == "odd") return answer(PaymentAuthorization());
  static everfold::SystemRandom random;
  const std::uint64_t chance = random.Below(100);
  if (chance < 10) return answer(absl::ResourceExhaustedError("too many calls"));
  if (chance < 15) return answer(absl::UnavailableError("no connection"));
  // It does not matter how often it is asked: whoever is declined stays declined.
  if (std::hash<std::string>()(request.order_id()) % 10 == 0) return answer(absl::FailedPreconditionError("declined"));
  if (!books.Write(call.key, request.order_id())) return answer(absl::InternalError("the books cannot be written"));
  if (chance < 25) return answer(absl::DeadlineExceededError("the answer was lost"));
  if (chance < 28) return;  // not even that is said
  const PaymentAuthorization result = MakePaymentAuthorization({.authorization_id = call.key});
  answer(result);
  if (chance < 40) answer(result);
}

}  // namespace
}  // namespace fulfil::v1

int main(int argc, char** argv) {
  const char* const path = std::getenv("FULFILMENT_BOOKS");
  if (path == nullptr) {
    std::cerr << "FULFILMENT_BOOKS is to be the provider's file\n";
    return 2;
  }
  fulfil::v1::Books books(path);
  fulfil::v1::Provider provider;
  provider.take = [&books](const fulfil::v1::PaymentRequest& request, const everfold::ActivityCall& call,
                           const fulfil::v1::Answer& answer) { fulfil::v1::Take(books, request, call, answer); };
  return everfold::App("fulfilment")
      .Aggregate<fulfil::v1::OrderDecider>()
      .Aggregate<fulfil::v1::ItemDecider>()
      .Process<fulfil::v1::FulfilmentProcess>(fulfil::v1::AuthorizePayment{&provider})
      .Main(argc, argv);
}
