// The shop's calls against a real provider, in one process.
#include "processes/payment_provider.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <future>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "everfold/testing/scratch_directory.h"
#include "gtest/gtest.h"
#include "processes/provider_calls.h"
#include "tools/fake_psp/provider_service.h"

namespace shop::v1 {
namespace {

using everfold::ActivityCall;
using everfold::ActivityDone;
using everfold::StreamId;
using psp::v1::Operation;

class ProviderSession {
 public:
  explicit ProviderSession(const psp::FaultOptions& faults = {})
      : provider_(psp::Books::Open(directory_.path() + "/books.db").value(), faults), service_(provider_) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~ProviderSession() { Stop(); }
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }
  std::shared_ptr<PaymentProvider> Connect() const { return ConnectToProvider(absl::StrCat("127.0.0.1:", port_)); }

 private:
  everfold::testing::ScratchDirectory directory_;
  psp::Provider provider_;
  psp::ProviderService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

psp::v1::AuthorizeRequest Authorize(const std::string& key, std::int64_t minor) {
  psp::v1::AuthorizeRequest request;
  request.set_key(key);
  request.set_reference("o1");
  request.set_token("card");
  request.mutable_amount()->set_currency("BRL");
  request.mutable_amount()->set_minor(minor);
  return request;
}

// What an activity's attempt is answered.
template <class Call>
absl::StatusOr<Operation> Attempt(const std::shared_ptr<PaymentProvider>& provider,
                                  const typename Call::Request& request, absl::Duration patience = absl::Seconds(20)) {
  std::promise<absl::StatusOr<std::string>> promise;
  std::future<absl::StatusOr<std::string>> answer = promise.get_future();
  const StreamId instance{"", "$process_fulfilment", "o1"};
  const ActivityCall call{.key = "k", .instance = instance, .attempt = 1, .deadline = absl::Now() + patience};
  Call(provider).Start(request, call, ActivityDone<Call>([&promise](absl::StatusOr<std::string> bytes) {
                         promise.set_value(std::move(bytes));
                       }));
  const absl::StatusOr<std::string> bytes = answer.get();
  if (!bytes.ok()) return bytes.status();
  Operation operation;
  EXPECT_TRUE(operation.ParseFromString(*bytes));
  return operation;
}

TEST(CallsOfTheProvider, ComeBackWithWhatWasDone) {
  ProviderSession session;
  const auto provider = session.Connect();
  const auto authorized = Attempt<AuthorizeAtProvider>(provider, Authorize("a", 100));
  ASSERT_TRUE(authorized.ok()) << authorized.status();
  EXPECT_EQ(authorized->state(), psp::v1::OPERATION_STATE_SUCCEEDED);
  psp::v1::CaptureRequest capture;
  capture.set_key("c");
  capture.set_payment(authorized->payment());
  *capture.mutable_amount() = authorized->amount();
  capture.mutable_amount()->set_minor(60);
  EXPECT_EQ(Attempt<CaptureAtProvider>(provider, capture)->kind(), psp::v1::OPERATION_KIND_CAPTURE);
  psp::v1::ReleaseRequest release;
  release.set_key("r");
  release.set_payment(authorized->payment());
  EXPECT_EQ(Attempt<ReleaseAtProvider>(provider, release)->amount().minor(), 40);
  psp::v1::RefundRequest refund;
  refund.set_key("f");
  refund.set_payment(authorized->payment());
  *refund.mutable_amount() = capture.amount();
  EXPECT_EQ(Attempt<RefundAtProvider>(provider, refund)->state(), psp::v1::OPERATION_STATE_SUCCEEDED);
}

TEST(CallsOfTheProvider, TakeADeclineForAnAnswer) {
  ProviderSession session({.decline = 1});
  EXPECT_EQ(Attempt<AuthorizeAtProvider>(session.Connect(), Authorize("a", 100))->state(),
            psp::v1::OPERATION_STATE_DECLINED);
}

TEST(CallsOfTheProvider, TakeARequestThatCannotBeForANo) {
  ProviderSession session;
  EXPECT_EQ(Attempt<AuthorizeAtProvider>(session.Connect(), Authorize("a", 0)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// UNAVAILABLE is asked again.
TEST(CallsOfTheProvider, DoNotKnowWhatBecameOfALostAnswer) {
  ProviderSession session({.drop_answer = 1, .hang = 0});
  EXPECT_EQ(Attempt<AuthorizeAtProvider>(session.Connect(), Authorize("a", 100)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(CallsOfTheProvider, GiveUpAtTheirDeadline) {
  ProviderSession session({.drop_answer = 1, .hang = 1});
  EXPECT_EQ(
      Attempt<AuthorizeAtProvider>(session.Connect(), Authorize("a", 100), absl::Milliseconds(100)).status().code(),
      absl::StatusCode::kUnavailable);
}

TEST(CallsOfTheProvider, AskAgainWhatTheBankOwes) {
  ProviderSession session({.pending = 1, .most_delay = absl::Hours(10)});
  EXPECT_EQ(Attempt<AuthorizeAtProvider>(session.Connect(), Authorize("a", 100)).status().message(),
            "the payer's bank has not answered");
}

TEST(CallsOfTheProvider, AreTriedWhereNobodyListens) {
  ProviderSession session;
  const auto provider = session.Connect();
  session.Stop();
  EXPECT_EQ(Attempt<AuthorizeAtProvider>(provider, Authorize("a", 100)).status().code(),
            absl::StatusCode::kUnavailable);
}

// Nobody but the provider can say that nothing was done.
TEST(CallsOfTheProvider, TakeNothingElseForANo) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "");
    const bool is_no = code == 3 || code == 5 || code == 9;  // INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION
    EXPECT_EQ(IsNo(status), is_no) << status;
  }
}

}  // namespace
}  // namespace shop::v1
