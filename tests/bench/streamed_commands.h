// Commands over one call of CommandService.ExecuteMany, in batches, so many under way at once.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/v1/account.pb.h"
#include "everfold/base/mutex.h"
#include "everfold/v1/command_service.grpc.pb.h"
#include "tests/bench/payloads.h"

namespace everfold::bench {

struct StreamedLoad {
  std::size_t batch = 100;
  std::size_t under_way = 4000;
  std::uint32_t streams = 10'000;
};

// Threading: one thread makes it and waits; the rest is gRPC's.
class StreamedCommands final : private grpc::ClientBidiReactor<v1::ExecuteManyRequest, v1::ExecuteManyResponse> {
 public:
  // Lifetime: payloads outlive it.
  StreamedCommands(const std::string& address, const Payloads& payloads, StreamedLoad load);

  // Sends for that long. Commands a second that were accepted; the first error, if there is one.
  absl::StatusOr<double> RunFor(absl::Duration time);

 private:
  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillBatch();
  void Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<v1::CommandService::Stub> stub_;
  const Payloads& payloads_;
  const StreamedLoad load_;
  grpc::ClientContext context_;
  v1::ExecuteManyRequest request_;
  v1::ExecuteManyResponse response_;
  ::bench::v1::AddEntry command_;
  Noise noise_{1};
  std::int64_t end_ = 0;
  Notification done_;
  Mutex mutex_;
  std::uint64_t sent_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t answered_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold::bench
