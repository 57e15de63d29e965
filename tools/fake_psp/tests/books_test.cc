#include "tools/fake_psp/books.h"

#include <sqlite3.h>

#include "everfold/testing/scratch_directory.h"
#include "gtest/gtest.h"
#include "tools/fake_psp/tests/requests.h"

namespace psp {
namespace {

using v1::OperationState;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class BooksTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    books_.reset();
    absl::StatusOr<std::unique_ptr<Books>> opened = Books::Open(Path());
    ASSERT_TRUE(opened.ok()) << opened.status();
    books_ = *std::move(opened);
  }
  std::string Path() const { return directory_.path() + "/books.db"; }

  v1::Operation Done(const absl::StatusOr<v1::Operation>& operation, OperationState state) {
    EXPECT_TRUE(operation.ok()) << operation.status();
    if (!operation.ok()) return {};
    EXPECT_EQ(operation->state(), state) << operation->reason();
    return *operation;
  }
  v1::Operation Succeeded(const absl::StatusOr<v1::Operation>& operation) {
    return Done(operation, v1::OPERATION_STATE_SUCCEEDED);
  }
  std::string Refused(const absl::StatusOr<v1::Operation>& operation) {
    return Done(operation, v1::OPERATION_STATE_REFUSED).reason();
  }
  std::int64_t Authorized(std::int64_t minor) {
    return Succeeded(books_->Authorize(Authorize("a", minor), {})).payment();
  }

  // Authorized, captured, released, refunded.
  std::vector<std::int64_t> Totals() {
    const v1::BooksReport report = books_->Report().value();
    if (report.totals_size() != 1) return {};
    const v1::CurrencyTotals& totals = report.totals(0);
    return {totals.authorized_minor(), totals.captured_minor(), totals.released_minor(), totals.refunded_minor()};
  }
  using Minor = std::vector<std::int64_t>;

  everfold::testing::ScratchDirectory directory_;
  std::unique_ptr<Books> books_;
};

TEST_F(BooksTest, KeepWhatIsAuthorizedCapturedReleasedAndRefunded) {
  const std::int64_t payment = Authorized(100);
  Succeeded(books_->Capture(Capture("c", payment, 60)));
  Succeeded(books_->Refund(Refund("f", payment, 50)));
  EXPECT_EQ(Succeeded(books_->Release(Release("r", payment))).amount().minor(), 40);
  EXPECT_EQ(Totals(), (Minor{100, 60, 40, 50}));
  Reopen();
  EXPECT_EQ(Totals(), (Minor{100, 60, 40, 50}));
  const v1::BooksReport report = books_->Report().value();
  ASSERT_EQ(report.payments_size(), 1);
  EXPECT_EQ(report.payments(0).reference(), "o1");
  EXPECT_EQ(report.payments(0).refunded_minor(), 50);
}

TEST_F(BooksTest, DoAnOperationOncePerKey) {
  const std::int64_t payment = Authorized(100);
  EXPECT_EQ(Authorized(100), payment);
  for (int i = 0; i < 2; ++i) {
    Succeeded(books_->Capture(Capture("c", payment, 30)));
    Succeeded(books_->Refund(Refund("f", payment, 20)));
    EXPECT_EQ(Succeeded(books_->Release(Release("r", payment))).amount().minor(), 70);
  }
  EXPECT_EQ(Totals(), (Minor{100, 30, 70, 20}));
}

TEST_F(BooksTest, ChargeTwiceUnderTwoKeys) {
  Authorized(100);
  Succeeded(books_->Authorize(Authorize("b", 100), {}));
  EXPECT_EQ(books_->Report()->payments_size(), 2) << "a provider does not know what an order is";
}

TEST_F(BooksTest, RefuseAnotherRequestUnderAKnownKey) {
  const std::int64_t payment = Authorized(100);
  EXPECT_EQ(books_->Authorize(Authorize("a", 101), {}).status().message(), "the key a belongs to another request");
  EXPECT_EQ(books_->Authorize(Authorize("a", 100, "o2"), {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(books_->Release(Release("a", payment)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Totals(), (Minor{100, 0, 0, 0}));
}

TEST_F(BooksTest, RememberARefusal) {
  const std::int64_t payment = Authorized(100);
  EXPECT_EQ(Refused(books_->Capture(Capture("c", payment, 101))), "no more than 100 are left");
  EXPECT_EQ(Refused(books_->Refund(Refund("f", payment, 1))), "no more than 0 are left");
  Succeeded(books_->Capture(Capture("c2", payment, 100)));
  EXPECT_EQ(Refused(books_->Refund(Refund("f", payment, 1))), "no more than 0 are left") << "as at first";
  EXPECT_EQ(Refused(books_->Release(Release("r", payment))), "nothing is left to release");
  v1::RefundRequest other = Refund("f2", payment, 1);
  other.mutable_amount()->set_currency("EUR");
  EXPECT_EQ(Refused(books_->Refund(other)), "the payment is in BRL");
  EXPECT_EQ(Totals(), (Minor{100, 100, 0, 0}));
}

TEST_F(BooksTest, CaptureNothingOfWhatIsReleased) {
  const std::int64_t payment = Authorized(100);
  Succeeded(books_->Release(Release("r", payment)));
  EXPECT_EQ(Refused(books_->Capture(Capture("c", payment, 1))), "no more than 0 are left");
}

TEST_F(BooksTest, AuthorizeNothingThatTheBankDeclines) {
  Done(books_->Authorize(Authorize("a", 100), {.declined = true}), v1::OPERATION_STATE_DECLINED);
  EXPECT_EQ(Totals(), (Minor{0, 0, 0, 0}));
  Done(books_->Authorize(Authorize("a", 100), {}), v1::OPERATION_STATE_DECLINED);
}

TEST_F(BooksTest, WaitForTheBankAlsoAcrossRestarts) {
  const BankAnswer later{.due = kNow + absl::Seconds(5)};
  const v1::Operation pending = Done(books_->Authorize(Authorize("a", 100), later), v1::OPERATION_STATE_PENDING);
  EXPECT_EQ(books_->Capture(Capture("c", pending.payment(), 100)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(books_->Settle(kNow).value(), later.due);
  Reopen();
  Done(books_->Get("a"), v1::OPERATION_STATE_PENDING);
  EXPECT_FALSE(books_->After(0).value().has_value());
  EXPECT_EQ(books_->Settle(*later.due).value(), std::nullopt);
  Succeeded(books_->Get("a"));
  Succeeded(books_->Capture(Capture("c", pending.payment(), 100)));
  EXPECT_EQ(Totals(), (Minor{100, 100, 0, 0}));
}

TEST_F(BooksTest, LetTheBankDeclineLater) {
  Done(books_->Authorize(Authorize("a", 100), {.declined = true, .due = kNow}), v1::OPERATION_STATE_PENDING);
  ASSERT_TRUE(books_->Settle(kNow).ok());
  Done(books_->Get("a"), v1::OPERATION_STATE_DECLINED);
  EXPECT_EQ(Totals(), (Minor{0, 0, 0, 0}));
}

TEST_F(BooksTest, TellOperationsInTheOrderInWhichTheyBecomeKnown) {
  Done(books_->Authorize(Authorize("late", 1), {.due = kNow}), v1::OPERATION_STATE_PENDING);
  Authorized(100);
  ASSERT_TRUE(books_->Settle(kNow).ok());
  const v1::Notification first = books_->After(0)->value();
  EXPECT_EQ(first.operation().key(), "a");
  const v1::Notification second = books_->After(first.number())->value();
  EXPECT_EQ(second.operation().key(), "late");
  EXPECT_EQ(second.operation().state(), v1::OPERATION_STATE_SUCCEEDED);
  EXPECT_FALSE(books_->After(second.number()).value().has_value());
}

TEST_F(BooksTest, KnowNothingOfOtherKeysAndPayments) {
  EXPECT_EQ(books_->Get("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(books_->Capture(Capture("c", 7, 1)).status().message(), "there is no payment 7");
  EXPECT_EQ(books_->Get("c").status().code(), absl::StatusCode::kNotFound) << "nothing was booked";
}

TEST_F(BooksTest, CheckRequests) {
  const auto message = [&](const v1::AuthorizeRequest& request) {
    return std::string(books_->Authorize(request, {}).status().message());
  };
  EXPECT_EQ(message(Authorize("", 1)), "a key has 1 to 255 bytes, and this one has 0");
  EXPECT_EQ(message(Authorize(std::string(256, 'k'), 1)), "a key has 1 to 255 bytes, and this one has 256");
  EXPECT_EQ(message(Authorize("a", 1, "")), "a reference has 1 to 255 bytes, and this one has 0");
  EXPECT_EQ(message(Authorize("a", 0)), "an amount is 1 to 1000000000000 minor units, and this one is 0");
  v1::AuthorizeRequest request = Authorize("a", 1);
  request.mutable_amount()->set_currency("brl");
  EXPECT_EQ(message(request), "a currency is three capital letters");
  EXPECT_EQ(books_->Report()->payments_size(), 0);
}

TEST_F(BooksTest, KeepNoHalfOfAnOperation) {
  const std::int64_t payment = Authorized(100);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(Path().c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database,
                         "CREATE TRIGGER fault BEFORE INSERT ON operations BEGIN SELECT RAISE(ABORT, 'a fault'); END",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  // The payment is changed first, and the operation written then.
  EXPECT_EQ(books_->Capture(Capture("c", payment, 10)).status().message(), "the books: a fault");
  EXPECT_EQ(Totals(), (Minor{100, 0, 0, 0}));
}

TEST(Books, TellWhatFileIsNone) {
  EXPECT_EQ(Books::Open("/proc/none/books.db").status().message(), "/proc/none/books.db: unable to open database file");
}

}  // namespace
}  // namespace psp
