#include "tools/fake_psp/books.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "everfold/base/status.h"
#include "tools/fake_psp/statement.h"

namespace psp {
namespace {

constexpr std::int64_t kMostMinor = 1'000'000'000'000;
constexpr std::size_t kMostBytes = 255;

// `request` is what came under the key, as bytes in hexadecimal; `number` is given when the outcome is known, `due_us`
// and `declines` stand while it is pending.
constexpr const char* kTables = R"(
  CREATE TABLE IF NOT EXISTS payments(
    payment INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, currency TEXT NOT NULL,
    authorized INTEGER NOT NULL DEFAULT 0, captured INTEGER NOT NULL DEFAULT 0,
    released INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0,
    CHECK (captured >= 0 AND released >= 0 AND refunded >= 0),
    CHECK (captured + released <= authorized), CHECK (refunded <= captured)) STRICT;
  CREATE TABLE IF NOT EXISTS operations(
    key TEXT PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL, payment INTEGER NOT NULL,
    currency TEXT NOT NULL, minor INTEGER NOT NULL, reason TEXT NOT NULL, reference TEXT NOT NULL,
    request TEXT NOT NULL, number INTEGER UNIQUE, due_us INTEGER, declines INTEGER) STRICT;
  CREATE INDEX IF NOT EXISTS pending ON operations(due_us) WHERE due_us IS NOT NULL;
)";
constexpr const char* kColumns = "SELECT key, kind, state, payment, currency, minor, reason, reference";

v1::Operation OperationIn(const Statement& row) {
  v1::Operation operation;
  operation.set_key(row.Text(0));
  operation.set_kind(static_cast<v1::OperationKind>(row.Int(1)));
  operation.set_state(static_cast<v1::OperationState>(row.Int(2)));
  operation.set_payment(row.Int(3));
  operation.mutable_amount()->set_currency(row.Text(4));
  operation.mutable_amount()->set_minor(row.Int(5));
  operation.set_reason(row.Text(6));
  operation.set_reference(row.Text(7));
  return operation;
}

v1::PaymentBook BookIn(const Statement& row) {
  v1::PaymentBook book;
  book.set_payment(row.Int(0));
  book.set_reference(row.Text(1));
  book.set_currency(row.Text(2));
  book.set_authorized_minor(row.Int(3));
  book.set_captured_minor(row.Int(4));
  book.set_released_minor(row.Int(5));
  book.set_refunded_minor(row.Int(6));
  return book;
}

absl::Status CheckText(const std::string& name, const std::string& text) {
  if (!text.empty() && text.size() <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has 1 to ", kMostBytes, " bytes, and this one has ", text.size()));
}

absl::Status CheckAmount(const v1::Amount& amount) {
  const std::string& currency = amount.currency();
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (currency.size() != 3 || !std::all_of(currency.begin(), currency.end(), is_upper)) {
    return absl::InvalidArgumentError("a currency is three capital letters");
  }
  if (amount.minor() >= 1 && amount.minor() <= kMostMinor) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("an amount is 1 to ", kMostMinor, " minor units, and this one is ", amount.minor()));
}

v1::Operation MakeOperation(v1::OperationKind kind, const std::string& key) {
  v1::Operation operation;
  operation.set_key(key);
  operation.set_kind(kind);
  return operation;
}

void Refuse(v1::Operation& operation, std::string reason) {
  operation.set_state(v1::OPERATION_STATE_REFUSED);
  operation.set_reason(std::move(reason));
}

// Takes `minor` of what is left, or refuses.
void Take(v1::Operation& operation, const v1::PaymentBook& book, std::int64_t left) {
  if (operation.amount().currency() != book.currency()) {
    return Refuse(operation, absl::StrCat("the payment is in ", book.currency()));
  }
  if (operation.amount().minor() > left) return Refuse(operation, absl::StrCat("no more than ", left, " are left"));
  operation.set_state(v1::OPERATION_STATE_SUCCEEDED);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Books>> Books::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<Books> books(new Books(database));
  if (code != SQLITE_OK) {
    return absl::InternalError(absl::StrCat(path, ": ", database ? sqlite3_errmsg(database) : "out of memory"));
  }
  sqlite3_busy_timeout(database, 5000);
  for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", kTables}) {
    if (const absl::Status status = books->Run(sql); !status.ok()) return status;
  }
  return books;
}

Books::~Books() { sqlite3_close(database_); }

absl::StatusOr<v1::Operation> Books::Authorize(const v1::AuthorizeRequest& request, const BankAnswer& answer) {
  EVERFOLD_RETURN_IF_ERROR(CheckText("a reference", request.reference()));
  EVERFOLD_RETURN_IF_ERROR(CheckText("a token", request.token()));
  EVERFOLD_RETURN_IF_ERROR(CheckAmount(request.amount()));
  v1::Operation operation = MakeOperation(v1::OPERATION_KIND_AUTHORIZE, request.key());
  *operation.mutable_amount() = request.amount();
  operation.set_reference(request.reference());
  const auto decide = [&](v1::Operation& booked) -> absl::Status {
    Statement insert(database_, "INSERT INTO payments(reference, currency) VALUES(?, ?)");
    EVERFOLD_RETURN_IF_ERROR(insert.Bind(request.reference()).Bind(request.amount().currency()).Run());
    booked.set_payment(sqlite3_last_insert_rowid(database_));
    if (!answer.due.has_value()) return AnswerForBank(booked, answer.declined);
    booked.set_state(v1::OPERATION_STATE_PENDING);
    return absl::OkStatus();
  };
  return Once(std::move(operation), request.SerializeAsString(), answer, decide);
}

absl::StatusOr<v1::Operation> Books::Capture(const v1::CaptureRequest& request) {
  EVERFOLD_RETURN_IF_ERROR(CheckAmount(request.amount()));
  v1::Operation operation = MakeOperation(v1::OPERATION_KIND_CAPTURE, request.key());
  operation.set_payment(request.payment());
  *operation.mutable_amount() = request.amount();
  return OnPayment(std::move(operation), request.SerializeAsString(), [this](v1::Operation& booked) -> absl::Status {
    EVERFOLD_ASSIGN_OR_RETURN(const v1::PaymentBook book, BookOf(booked.payment()));
    Take(booked, book, book.authorized_minor() - book.captured_minor() - book.released_minor());
    return Add(booked, "captured");
  });
}

absl::StatusOr<v1::Operation> Books::Release(const v1::ReleaseRequest& request) {
  v1::Operation operation = MakeOperation(v1::OPERATION_KIND_RELEASE, request.key());
  operation.set_payment(request.payment());
  return OnPayment(std::move(operation), request.SerializeAsString(), [this](v1::Operation& booked) -> absl::Status {
    EVERFOLD_ASSIGN_OR_RETURN(const v1::PaymentBook book, BookOf(booked.payment()));
    const std::int64_t left = book.authorized_minor() - book.captured_minor() - book.released_minor();
    booked.mutable_amount()->set_currency(book.currency());
    booked.mutable_amount()->set_minor(left);
    left == 0 ? Refuse(booked, "nothing is left to release") : booked.set_state(v1::OPERATION_STATE_SUCCEEDED);
    return Add(booked, "released");
  });
}

absl::StatusOr<v1::Operation> Books::Refund(const v1::RefundRequest& request) {
  EVERFOLD_RETURN_IF_ERROR(CheckAmount(request.amount()));
  v1::Operation operation = MakeOperation(v1::OPERATION_KIND_REFUND, request.key());
  operation.set_payment(request.payment());
  *operation.mutable_amount() = request.amount();
  return OnPayment(std::move(operation), request.SerializeAsString(), [this](v1::Operation& booked) -> absl::Status {
    EVERFOLD_ASSIGN_OR_RETURN(const v1::PaymentBook book, BookOf(booked.payment()));
    Take(booked, book, book.captured_minor() - book.refunded_minor());
    return Add(booked, "refunded");
  });
}

absl::StatusOr<v1::Operation> Books::Get(const std::string& key) const {
  EVERFOLD_RETURN_IF_ERROR(CheckText("a key", key));
  Statement select(database_, absl::StrCat(kColumns, " FROM operations WHERE key = ?"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Bind(key).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("nothing was done under the key ", key));
  return OperationIn(select);
}

absl::StatusOr<std::optional<absl::Time>> Books::Settle(absl::Time now) {
  EVERFOLD_RETURN_IF_ERROR(InTransaction([&] { return SettleDue(now); }));
  Statement next(database_, "SELECT due_us FROM operations WHERE due_us IS NOT NULL ORDER BY due_us LIMIT 1");
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, next.Step());
  if (!found) return std::nullopt;
  return absl::FromUnixMicros(next.Int(0));
}

absl::StatusOr<std::optional<v1::Notification>> Books::After(std::int64_t number) const {
  Statement select(database_,
                   absl::StrCat(kColumns, ", number FROM operations WHERE number > ? ORDER BY number LIMIT 1"));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Bind(number).Step());
  if (!found) return std::nullopt;
  v1::Notification notification;
  notification.set_number(select.Int(8));
  *notification.mutable_operation() = OperationIn(select);
  return notification;
}

absl::StatusOr<v1::BooksReport> Books::Report() const {
  v1::BooksReport report;
  // One statement: totals and payments are of one moment.
  Statement select(database_, "SELECT * FROM payments ORDER BY currency, payment");
  for (;;) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return report;
    const v1::PaymentBook& book = *report.add_payments() = BookIn(select);
    const int last = report.totals_size() - 1;
    const bool is_new = last < 0 || report.totals(last).currency() != book.currency();
    v1::CurrencyTotals& totals = is_new ? *report.add_totals() : *report.mutable_totals(last);
    totals.set_currency(book.currency());
    totals.set_payments(totals.payments() + 1);
    totals.set_authorized_minor(totals.authorized_minor() + book.authorized_minor());
    totals.set_captured_minor(totals.captured_minor() + book.captured_minor());
    totals.set_released_minor(totals.released_minor() + book.released_minor());
    totals.set_refunded_minor(totals.refunded_minor() + book.refunded_minor());
  }
}

absl::Status Books::Run(const std::string& sql) const {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the books: ", sqlite3_errmsg(database_)));
}

absl::Status Books::InTransaction(const std::function<absl::Status()>& work) {
  EVERFOLD_RETURN_IF_ERROR(Run("BEGIN IMMEDIATE"));
  absl::Status status = work();
  if (status.ok()) status = Run("COMMIT");
  if (!status.ok() && sqlite3_get_autocommit(database_) == 0) {
    EVERFOLD_RETURN_IF_ERROR(Run("ROLLBACK"));
  }
  return status;
}

absl::StatusOr<v1::Operation> Books::Once(v1::Operation operation, const std::string& request, const BankAnswer& answer,
                                          const Decide& decide) {
  EVERFOLD_RETURN_IF_ERROR(CheckText("a key", operation.key()));
  const std::string bytes = absl::BytesToHexString(request);
  const auto work = [&]() -> absl::Status {
    Statement known(database_, absl::StrCat(kColumns, ", request FROM operations WHERE key = ?"));
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, known.Bind(operation.key()).Step());
    if (!found) {
      EVERFOLD_RETURN_IF_ERROR(decide(operation));
      return Insert(operation, bytes, answer);
    }
    if (known.Int(1) != operation.kind() || known.Text(8) != bytes) {
      return absl::InvalidArgumentError(absl::StrCat("the key ", operation.key(), " belongs to another request"));
    }
    operation = OperationIn(known);
    return absl::OkStatus();
  };
  EVERFOLD_RETURN_IF_ERROR(InTransaction(work));
  return operation;
}

absl::StatusOr<v1::Operation> Books::OnPayment(v1::Operation operation, const std::string& request,
                                               const Decide& decide) {
  const auto decide_if_known = [&](v1::Operation& booked) -> absl::Status {
    EVERFOLD_ASSIGN_OR_RETURN(const v1::PaymentBook book, BookOf(booked.payment()));
    booked.set_reference(book.reference());
    Statement pending(database_, "SELECT 1 FROM operations WHERE due_us IS NOT NULL AND payment = ?");
    EVERFOLD_ASSIGN_OR_RETURN(const bool is_pending, pending.Bind(booked.payment()).Step());
    if (is_pending) return absl::FailedPreconditionError("the payment's authorization is pending");
    return decide(booked);
  };
  return Once(std::move(operation), request, {}, decide_if_known);
}

absl::Status Books::AnswerForBank(v1::Operation& authorization, bool declined) {
  authorization.set_state(declined ? v1::OPERATION_STATE_DECLINED : v1::OPERATION_STATE_SUCCEEDED);
  if (declined) authorization.set_reason("the payer's bank has declined");
  return Add(authorization, "authorized");
}

// What succeeded, in the payment's book.
absl::Status Books::Add(const v1::Operation& operation, const std::string& column) {
  if (operation.state() != v1::OPERATION_STATE_SUCCEEDED) return absl::OkStatus();
  Statement update(database_, absl::StrCat("UPDATE payments SET ", column, " = ", column, " + ? WHERE payment = ?"));
  return update.Bind(operation.amount().minor()).Bind(operation.payment()).Run();
}

absl::Status Books::Insert(const v1::Operation& operation, const std::string& request, const BankAnswer& answer) {
  Statement insert(database_,
                   "INSERT INTO operations(key, kind, state, payment, currency, minor, reason, reference, request) "
                   "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(operation.key()).Bind(operation.kind()).Bind(operation.state()).Bind(operation.payment());
  insert.Bind(operation.amount().currency()).Bind(operation.amount().minor()).Bind(operation.reason());
  EVERFOLD_RETURN_IF_ERROR(insert.Bind(operation.reference()).Bind(request).Run());
  if (operation.state() != v1::OPERATION_STATE_PENDING) return MarkKnown(operation);
  Statement due(database_, "UPDATE operations SET due_us = ?, declines = ? WHERE key = ?");
  return due.Bind(absl::ToUnixMicros(*answer.due)).Bind(answer.declined ? 1 : 0).Bind(operation.key()).Run();
}

// Gives the outcome its number; of a pending one, replaces what was written.
absl::Status Books::MarkKnown(const v1::Operation& operation) {
  Statement update(database_,
                   "UPDATE operations SET state = ?, reason = ?, due_us = NULL, declines = NULL, "
                   "number = (SELECT coalesce(max(number), 0) + 1 FROM operations) WHERE key = ?");
  return update.Bind(operation.state()).Bind(operation.reason()).Bind(operation.key()).Run();
}

absl::Status Books::SettleDue(absl::Time now) {
  for (;;) {
    Statement select(database_,
                     absl::StrCat(kColumns, ", declines FROM operations WHERE due_us <= ? ORDER BY due_us LIMIT 1"));
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Bind(absl::ToUnixMicros(now)).Step());
    if (!found) return absl::OkStatus();
    v1::Operation authorization = OperationIn(select);
    EVERFOLD_RETURN_IF_ERROR(AnswerForBank(authorization, select.Int(8) != 0));
    EVERFOLD_RETURN_IF_ERROR(MarkKnown(authorization));
  }
}

absl::StatusOr<v1::PaymentBook> Books::BookOf(std::int64_t payment) const {
  Statement select(database_, "SELECT * FROM payments WHERE payment = ?");
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, select.Bind(payment).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("there is no payment ", payment));
  return BookIn(select);
}

}  // namespace psp
