// An application with orders and their fulfilment, in one thread of a test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"
#include "everfold/event/fingerprint.h"
#include "everfold/process/process.h"
#include "everfold/testing/test_app.h"
#include "tests/unit/process/fulfilment.h"

namespace fulfil::v1 {

inline PaymentAuthorization Authorized(const std::string& id = "auth") {
  return MakePaymentAuthorization({.authorization_id = id});
}

class FulfilmentTest : public ::testing::Test {
 protected:
  explicit FulfilmentTest(everfold::Parts (*parts)(Provider&) = FulfilmentParts) : app_(parts(provider_)) {}
  explicit FulfilmentTest(std::unique_ptr<everfold::testing::TestAppOptions> options)
      : app_(FulfilmentParts(provider_), std::move(*options)) {}

  void Place(const std::string& order, std::int64_t quantity = 1) {
    app_.Accepted(MakePlaceOrder({.order_id = order, .item_id = "pen", .quantity = quantity}));
    app_.Settle();
  }
  void Stock(std::int64_t quantity) {
    app_.Accepted(MakeStockItem({.item_id = "pen", .quantity = quantity}));
    app_.Settle();
  }
  void AnswerPayments() {
    provider_.answer = [](const Provider::Call&) { return Authorized(); };
  }
  // Types and ids of the commands' events of a stream: "OrderPlaced OrderCompleted".
  std::string EventsOf(const std::string& stream) {
    std::string types;
    EXPECT_EQ(app_.engine().store().ReadStream(everfold::StreamOfKey(stream).value(), {},
                                               [&](const everfold::RecordedEvent& event) {
                                                 const std::size_t dot = event.event.type.rfind('.');
                                                 if (!types.empty()) types += " ";
                                                 types += event.event.type.substr(dot + 1);
                                                 return absl::OkStatus();
                                               }),
              absl::OkStatus());
    return types;
  }
  everfold::ProcessStatus Status() { return app_.engine().processes().front()->Describe(); }
  everfold::Process& process() { return *app_.engine().processes().front(); }
  // What a call of an operator is answered.
  template <class Call>
  absl::Status Ask(Call call) {
    std::optional<absl::Status> answer;
    call([&answer](absl::Status status) { answer = std::move(status); });
    app_.Settle();
    return answer.value_or(absl::UnknownError("not answered"));
  }
  absl::Status Answer(const std::string& key, const std::string& id, absl::StatusOr<std::string> result) {
    return Ask([&](everfold::Process::Done done) { process().Answer(key, id, std::move(result), std::move(done)); });
  }
  absl::Status Pause() {
    return Ask([&](everfold::Process::Done done) { process().Pause(std::move(done)); });
  }
  absl::Status Resume() {
    return Ask([&](everfold::Process::Done done) { process().Resume(std::move(done)); });
  }
  absl::Status Reset(everfold::v1::ReactorResetTo to, const std::string& reason) {
    return Ask([&](everfold::Process::Done done) { process().Reset(to, reason, std::move(done)); });
  }
  absl::Status Retry(const std::string& instance) {
    return Ask([&](everfold::Process::Done done) { process().Retry(instance, std::move(done)); });
  }
  absl::Status RetryAll() {
    return Ask([&](everfold::Process::Done done) { process().RetryAll(std::move(done)); });
  }
  absl::Status Drop(const std::string& instance, const std::string& input, const std::string& reason = "a test") {
    return Ask([&](everfold::Process::Done done) { process().Drop(instance, input, reason, std::move(done)); });
  }
  // "instance: input" of each that is parked.
  std::vector<std::string> Parked() {
    std::vector<std::string> parked;
    process().ListParked([&](absl::StatusOr<std::vector<everfold::ParkedInstance>> listed) {
      ASSERT_TRUE(listed.ok()) << listed.status();
      for (const everfold::ParkedInstance& one : *listed) parked.push_back(one.instance + ": " + one.input);
    });
    app_.Settle();
    return parked;
  }
  // As a second process of this name would, so that the next step of the first one finds another version.
  void SomebodyElseMakesAStep(const std::string& order) {
    const everfold::StreamId stream{"", "$process_fulfilment", order};
    everfold::AppendRequest request;
    request.of_framework = true;
    const auto repeat = [&](const everfold::RecordedEvent& event) {
      request.streams.clear();
      request.streams.push_back(
          {.stream = stream,
           .expectation = everfold::StreamExpectation::Exact(event.version),
           .events = {{.type = std::string(event.event.type),
                       .fingerprint = std::string(everfold::FingerprintOf(*everfold::v1::ProcessStep::descriptor())),
                       .payload = std::string(event.event.payload),
                       .event_time = {},
                       .tags = {}}}});
      return absl::OkStatus();
    };
    ASSERT_EQ(app_.engine().store().ReadStream(stream, {}, repeat), absl::OkStatus());
    absl::Status appended = absl::UnknownError("not answered");
    app_.engine().store().Append(
        std::move(request), [&](const absl::StatusOr<everfold::AppendResult>& result) { appended = result.status(); });
    app_.Settle();
    ASSERT_EQ(appended, absl::OkStatus());
  }
  void Reopen() { ASSERT_EQ(app_.Open(), absl::OkStatus()); }

  Provider provider_;
  everfold::testing::TestApp app_;
};

}  // namespace fulfil::v1
