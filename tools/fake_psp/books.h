// The provider's books: what was done for each payment, and what became of the operation under each key. One SQLite
// file; an operation and what it changes in a payment are one transaction, synced before it is answered. So after
// kill -9 the books hold every operation that was answered, and of others all or nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "psp/v1/psp.pb.h"

struct sqlite3;

namespace psp {

// What the payer's bank says to an authorization, and when.
struct BankAnswer {
  bool declined = false;
  // Not given: at once. Else the authorization is pending until then.
  std::optional<absl::Time> due = std::nullopt;
};

// Threading: one thread at a time.
//
// Errors: INVALID_ARGUMENT, a request that can never be right, or another one under a known key; NOT_FOUND, there is no
// such payment or key; FAILED_PRECONDITION, the payment is pending. Nothing is booked then. What is against the
// payment's books is no error, but booked as refused. INTERNAL: SQLite's.
class Books {
 public:
  static absl::StatusOr<std::unique_ptr<Books>> Open(const std::string& path);
  ~Books();
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  // Under a known key the bank's answer is the first one.
  absl::StatusOr<v1::Operation> Authorize(const v1::AuthorizeRequest& request, const BankAnswer& answer);
  absl::StatusOr<v1::Operation> Capture(const v1::CaptureRequest& request);
  absl::StatusOr<v1::Operation> Release(const v1::ReleaseRequest& request);
  absl::StatusOr<v1::Operation> Refund(const v1::RefundRequest& request);

  absl::StatusOr<v1::Operation> Get(const std::string& key) const;

  // Has the bank answer what is due by now. When the next answer is due, if one is.
  absl::StatusOr<std::optional<absl::Time>> Settle(absl::Time now);

  // The first operation that became known after this number; none if there is none.
  absl::StatusOr<std::optional<v1::Notification>> After(std::int64_t number) const;

  absl::StatusOr<v1::BooksReport> Report() const;

 private:
  using Decide = std::function<absl::Status(v1::Operation&)>;

  explicit Books(sqlite3* database) : database_(database) {}
  absl::Status Run(const std::string& sql) const;
  absl::Status InTransaction(const std::function<absl::Status()>& work);
  absl::StatusOr<v1::Operation> Once(v1::Operation operation, const std::string& request, const BankAnswer& answer,
                                     const Decide& decide);
  absl::StatusOr<v1::Operation> OnPayment(v1::Operation operation, const std::string& request, const Decide& decide);
  absl::Status AnswerForBank(v1::Operation& authorization, bool declined);
  absl::Status Insert(const v1::Operation& operation, const std::string& request, const BankAnswer& answer);
  absl::Status MarkKnown(const v1::Operation& operation);
  absl::Status SettleDue(absl::Time now);
  absl::StatusOr<v1::PaymentBook> BookOf(std::int64_t payment) const;
  absl::Status Add(const v1::Operation& operation, const std::string& column);

  sqlite3* const database_;
};

}  // namespace psp
