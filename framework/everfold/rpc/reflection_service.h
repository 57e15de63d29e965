// gRPC's server reflection, as grpc.reflection.v1 for new tools and as v1alpha for old ones. The two differ in nothing
// but the service's name, so one handler of raw bytes serves both: Debian's plugin knows v1alpha only, and a second
// declaration of v1alpha's messages would not even start beside it.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/reflection.h"

namespace everfold {

inline constexpr char kReflectionService[] = "grpc.reflection.v1.ServerReflection";

// Answers every other method that no service of the server has with UNIMPLEMENTED.
// Threading: thread-safe. Lifetime: outlives its server.
class ReflectionService final : public grpc::CallbackGenericService {
 public:
  explicit ReflectionService(std::vector<std::string> services) : reflection_(std::move(services)) {}
  // REQUIRES: every call has ended.
  ~ReflectionService() override;

  // Ends the open calls; tools keep theirs open as long as they run.
  void Retire();

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;

 private:
  class Conversation;

  const Reflection reflection_;
  Mutex mutex_;
  bool retired_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Conversation*> conversations_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold
