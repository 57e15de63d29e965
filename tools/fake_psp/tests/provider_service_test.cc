// A provider over gRPC, with everything that can go wrong on the way going wrong.
#include "tools/fake_psp/provider_service.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <map>

#include "everfold/testing/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/fake_psp/tests/requests.h"

namespace psp {
namespace {

using ::testing::ElementsAre;

// A provider with one kind of fault, and a caller.
class Session {
 public:
  explicit Session(const FaultOptions& faults = {}) {
    absl::StatusOr<std::unique_ptr<Books>> books = Books::Open(directory_.path() + "/books.db");
    EXPECT_TRUE(books.ok()) << books.status();
    provider_ = std::make_unique<Provider>(*std::move(books), faults);
    service_ = std::make_unique<ProviderService>(*provider_);
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::PaymentProvider::NewStub(server_->InProcessChannel({}));
  }
  ~Session() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  v1::PaymentProvider::Stub& stub() { return *stub_; }

  template <class Request>
  grpc::Status Call(grpc::Status (v1::PaymentProvider::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                      v1::Operation*),
                    const Request& request, v1::Operation* operation, int patience_ms = 20'000) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(patience_ms));
    return (stub_.get()->*method)(&context, request, operation);
  }
  grpc::Status Ask(const v1::AuthorizeRequest& request, v1::Operation* operation, int patience_ms = 20'000) {
    return Call(&v1::PaymentProvider::Stub::Authorize, request, operation, patience_ms);
  }
  // From the books, past all faults.
  absl::StatusOr<v1::Operation> Booked(const std::string& key) { return provider_->Get(key); }
  std::int64_t AuthorizedMinor() {
    std::int64_t minor = 0;
    provider_->Locked([&](const Books& books) {
      const v1::BooksReport report = books.Report().value();
      for (const v1::CurrencyTotals& totals : report.totals()) minor += totals.authorized_minor();
    });
    return minor;
  }

  // The numbers of the next notifications.
  std::vector<std::int64_t> Watch(int count, std::int64_t after = 0) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::WatchOperationsRequest request;
    request.set_after(after);
    const auto reader = stub_->WatchOperations(&context, request);
    std::vector<std::int64_t> numbers;
    v1::Notification notification;
    while (static_cast<int>(numbers.size()) < count && reader->Read(&notification)) {
      numbers.push_back(notification.number());
    }
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
    return numbers;
  }

 private:
  everfold::testing::ScratchDirectory directory_;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<ProviderService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::PaymentProvider::Stub> stub_;
};

TEST(AProvider, AnswersEveryKindOfRequest) {
  using Stub = v1::PaymentProvider::Stub;
  Session session;
  v1::Operation operation;
  ASSERT_TRUE(session.Ask(Authorize("a", 100), &operation).ok());
  EXPECT_EQ(operation.state(), v1::OPERATION_STATE_SUCCEEDED);
  const std::int64_t payment = operation.payment();
  ASSERT_TRUE(session.Call(&Stub::Capture, Capture("c", payment, 70), &operation).ok());
  EXPECT_EQ(operation.kind(), v1::OPERATION_KIND_CAPTURE);
  ASSERT_TRUE(session.Call(&Stub::Release, Release("r", payment), &operation).ok());
  EXPECT_EQ(operation.amount().minor(), 30);
  ASSERT_TRUE(session.Call(&Stub::Refund, Refund("f", payment, 70), &operation).ok());
  EXPECT_EQ(operation.reference(), "o1");
  ASSERT_TRUE(session.Call(&Stub::GetOperation, ByKey("c"), &operation).ok());
  EXPECT_EQ(operation.amount().minor(), 70);
  EXPECT_THAT(session.Watch(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(session.Watch(2, 2), ElementsAre(3, 4));
}

TEST(AProvider, TellsErrors) {
  Session session;
  v1::Operation operation;
  const grpc::Status unknown = session.Call(&v1::PaymentProvider::Stub::GetOperation, ByKey("a"), &operation);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(session.Ask(Authorize("", 1), &operation).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(AProvider, DeclinesWhatTheBankDeclines) {
  Session session;
  v1::AuthorizeRequest request = Authorize("a", 100);
  request.set_token("decline-me");
  v1::Operation operation;
  ASSERT_TRUE(session.Ask(request, &operation).ok());
  EXPECT_EQ(operation.state(), v1::OPERATION_STATE_DECLINED);
  EXPECT_EQ(session.AuthorizedMinor(), 0);
}

TEST(AProvider, MayLoseARequest) {
  Session session({.drop_request = 1, .hang = 0});
  v1::Operation operation;
  EXPECT_EQ(session.Ask(Authorize("a", 100), &operation).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(session.Booked("a").status().code(), absl::StatusCode::kNotFound);
}

TEST(AProvider, MayLoseAnAnswerToWhatIsDone) {
  Session session({.drop_answer = 1, .hang = 0});
  v1::Operation operation;
  EXPECT_EQ(session.Ask(Authorize("a", 100), &operation).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(session.Ask(Authorize("a", 100), &operation).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(session.Booked("a")->state(), v1::OPERATION_STATE_SUCCEEDED);
  EXPECT_EQ(session.AuthorizedMinor(), 100);
}

TEST(AProvider, MayLeaveItsCallerWaiting) {
  Session session({.drop_answer = 1, .hang = 1});
  v1::Operation operation;
  EXPECT_EQ(session.Ask(Authorize("a", 100), &operation, 50).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(AProvider, MayBeLate) {
  Session session({.delay = 1, .most_delay = absl::Hours(10)});
  v1::Operation operation;
  EXPECT_EQ(session.Ask(Authorize("a", 100), &operation, 50).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // Another caller asks for what is long done, and waits as long.
  EXPECT_EQ(session.Booked("a")->state(), v1::OPERATION_STATE_SUCCEEDED);
}

TEST(AProvider, GivesALateAnswerToWhoeverWaits) {
  Session session({.delay = 1, .most_delay = absl::Milliseconds(20)});
  v1::Operation operation;
  ASSERT_TRUE(session.Ask(Authorize("a", 100), &operation).ok());
  EXPECT_EQ(operation.state(), v1::OPERATION_STATE_SUCCEEDED);
}

TEST(AProvider, MayBeAskedTwiceAndDoesItOnce) {
  Session session({.twice = 1});
  v1::Operation operation;
  ASSERT_TRUE(session.Ask(Authorize("a", 100), &operation).ok());
  EXPECT_EQ(session.AuthorizedMinor(), 100);
  EXPECT_THAT(session.Watch(2), ElementsAre(1, 1));
}

TEST(AProvider, MayTellOutOfOrder) {
  Session session({.reorder = 1});
  v1::Operation operation;
  for (const std::string key : {"a", "b", "c", "d"}) ASSERT_TRUE(session.Ask(Authorize(key, 1), &operation).ok());
  EXPECT_THAT(session.Watch(4), ElementsAre(2, 1, 4, 3));
}

TEST(AProvider, TellsWhatTheBankSaysLater) {
  Session session({.pending = 1, .most_delay = absl::Milliseconds(20)});
  v1::Operation operation;
  ASSERT_TRUE(session.Ask(Authorize("a", 100), &operation).ok());
  EXPECT_EQ(operation.state(), v1::OPERATION_STATE_PENDING);
  EXPECT_THAT(session.Watch(1), ElementsAre(1));
  EXPECT_EQ(session.Booked("a")->state(), v1::OPERATION_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace psp
