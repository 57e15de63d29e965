#include "tests/bench/grpc_target.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "everfold/base/random.h"
#include "tests/bench/store_target.h"

namespace everfold::bench {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

GrpcTarget::GrpcTarget(const std::string& address, const Payloads& payloads, std::size_t events_a_commit)
    : stub_(v1::EventStoreService::NewStub(Connect(address))),
      payloads_(payloads),
      events_a_commit_(events_a_commit),
      slots_(kMostCallers) {
  SystemRandom random;
  for (Slot& slot : slots_) slot.noise = Noise(random.Next());
}

void GrpcTarget::Append(std::size_t number, Caller& caller) {
  Slot& slot = slots_[number];
  slot.context = std::make_unique<grpc::ClientContext>();
  FillRequest(slot);
  stub_->async()->Append(slot.context.get(), &slot.request, &slot.response, [&caller](const grpc::Status& status) {
    caller.OnDurable(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
  });
}

void GrpcTarget::FillRequest(Slot& slot) const {
  if (slot.request.streams().empty()) {
    v1::StreamAppend& stream = *slot.request.add_streams();
    for (std::size_t i = 0; i < events_a_commit_; ++i) stream.add_events();
  }
  v1::StreamAppend& stream = *slot.request.mutable_streams(0);
  stream.set_stream(Streams::NameOf(static_cast<std::uint32_t>(slot.noise.Below(Streams::kStreams))).ToString());
  for (v1::NewEvent& event : *stream.mutable_events()) {
    const EventType type = EventTypeOf(slot.noise.Below(kEventTypes));
    event.set_type(type.name);
    event.set_fingerprint(type.fingerprint);
    event.mutable_payload()->resize(payloads_.bytes());
    payloads_.Fill(slot.noise, event.mutable_payload()->data());
  }
}

}  // namespace everfold::bench
