// Sends orders to a running shop: the steps of one order one after the other, many orders at a time.
//
// Every step has a request_id that follows from the data, so whatever is sent twice (by a retry, after a crash of the
// shop, or by a second run over the same files) is answered with the first receipt and changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "shop/v1/order_api.grpc.pb.h"
#include "shop/v1/payment_api.grpc.pb.h"
#include "tools/import/call_window.h"
#include "tools/import_olist/life_cycle.h"

namespace everfold {

struct ImportCounts {
  std::int64_t orders = 0;    // whose last step was answered
  std::int64_t accepted = 0;  // steps
  std::int64_t repeated = 0;  // steps that were there already
  std::int64_t refused = 0;   // steps that the shop does not take
};

// A step that the shop does not take. Lifetime: one call of a Report.
struct RefusedStep {
  const OlistOrder& order;
  const Step& step;
  const absl::Status& why;
  bool is_placed = true;  // false: the order is left out
};

// Threading: one thread.
class Importer {
 public:
  using Report = std::function<void(const RefusedStep& refused)>;

  Importer(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options, Report report);

  // Returns as soon as the order's first step is on its way. An order that is not placed has no further steps; one that
  // was placed before, with other content, has. Any other step that is refused is left out.
  // Lifetime: the order outlives the next Drain.
  void Import(const OlistOrder& order);
  // Waits for all orders.
  void Drain() { window_.Drain(); }

  // Why the shop gave no answer until patience ended; OK as long as it answers. Nothing is sent after that.
  const absl::Status& unreachable() const { return unreachable_; }
  const ImportCounts& counts() const { return counts_; }
  int repeats() const { return window_.repeats(); }
  // With it, a query sees every step that was answered: read models fold the log in the order of sequence.
  const std::string& consistency_token() const { return newest_token_; }

 private:
  struct Chain {
    const OlistOrder* order = nullptr;
    std::vector<Step> steps;
    std::size_t next = 0;
  };
  struct Call;
  class Sender;

  void SendNext(std::shared_ptr<Chain> chain);
  void OnAnswer(std::shared_ptr<Chain> chain, const absl::Status& status, const v1::CommandReceipt& receipt);
  void Remember(const v1::CommandReceipt& receipt);

  const Report report_;
  std::unique_ptr<shop::v1::OrderCommandService::Stub> orders_;
  std::unique_ptr<shop::v1::PaymentCommandService::Stub> payments_;
  ImportCounts counts_;
  absl::Status unreachable_;
  std::uint64_t newest_sequence_ = 0;
  std::string newest_token_;
  CallWindow window_;
};

}  // namespace everfold
