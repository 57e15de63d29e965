// How many calls a server is at, from the moment that it has met one until gRPC is done with it.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace everfold {

// Threading: thread-safe.
class CallsUnderWay {
 public:
  void Begin() { count_.fetch_add(1, std::memory_order_relaxed); }
  void End() { count_.fetch_sub(1, std::memory_order_relaxed); }
  bool none() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  std::atomic<std::int64_t> count_ = 0;
};

// Makes the context of each call, as gRPC itself would, and so meets all of them, whatever service they are of.
// Lifetime: the count outlives it, and with it the server.
std::unique_ptr<grpc::ContextAllocator> CountingContexts(CallsUnderWay& calls);

}  // namespace everfold
