#include "everfold/rpc/calls_under_way.h"

#include <grpcpp/generic/async_generic_service.h>

namespace everfold {
namespace {

class Contexts final : public grpc::ContextAllocator {
 public:
  explicit Contexts(CallsUnderWay& calls) : calls_(calls) {}

  grpc::CallbackServerContext* NewCallbackServerContext() override {
    calls_.Begin();
    return new grpc::CallbackServerContext;
  }
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext() override {
    calls_.Begin();
    return new grpc::GenericCallbackServerContext;
  }
  void Release(grpc::CallbackServerContext* context) override {
    delete context;
    calls_.End();
  }
  void Release(grpc::GenericCallbackServerContext* context) override {
    delete context;
    calls_.End();
  }

 private:
  CallsUnderWay& calls_;
};

}  // namespace

std::unique_ptr<grpc::ContextAllocator> CountingContexts(CallsUnderWay& calls) {
  return std::make_unique<Contexts>(calls);
}

}  // namespace everfold
