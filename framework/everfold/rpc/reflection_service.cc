#include "everfold/rpc/reflection_service.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include "everfold/base/check.h"

namespace everfold {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

bool IsReflection(const std::string& method) {
  return method == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
         method == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

grpc::Status ShuttingDown() { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"); }

// A method that no service has.
class UnknownMethod final : public grpc::ServerGenericBidiReactor {
 public:
  explicit UnknownMethod(const std::string& method) {
    Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "this server has no method " + method));
  }
  void OnDone() override { delete this; }
};

}  // namespace

// Reads a request, answers it, reads the next. gRPC never calls back from within StartRead, StartWrite or Finish.
class ReflectionService::Conversation final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Conversation(ReflectionService& service) : service_(service) {
    MutexLock lock(&service_.mutex_);
    service_.conversations_.insert(this);
    if (service_.retired_) {
      End(ShuttingDown());
    } else {
      StartRead(&request_);
    }
  }

  void End(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(service_.mutex_) {
    if (ended_) return;
    ended_ = true;
    Finish(status);
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(&service_.mutex_);
    if (ended_) return;
    if (!ok) return End(grpc::Status::OK);
    if (const grpc::Status status = Answer(); !status.ok()) return End(status);
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&service_.mutex_);
    if (ended_) return;
    if (!ok) return End(grpc::Status::CANCELLED);
    StartRead(&request_);
  }

  void OnCancel() override {
    MutexLock lock(&service_.mutex_);
    End(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    {
      MutexLock lock(&service_.mutex_);
      service_.conversations_.erase(this);
    }
    delete this;
  }

 private:
  // From request_ to response_.
  grpc::Status Answer() {
    ServerReflectionRequest request;
    grpc::Status status = grpc::SerializationTraits<ServerReflectionRequest>::Deserialize(&request_, &request);
    if (!status.ok()) return status;
    bool own_buffer = false;
    return grpc::SerializationTraits<ServerReflectionResponse>::Serialize(service_.reflection_.Answer(request),
                                                                          &response_, &own_buffer);
  }

  ReflectionService& service_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  bool ended_ ABSL_GUARDED_BY(service_.mutex_) = false;
};

ReflectionService::~ReflectionService() {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(conversations_.empty());
}

void ReflectionService::Retire() {
  MutexLock lock(&mutex_);
  retired_ = true;
  for (Conversation* const conversation : conversations_) conversation->End(ShuttingDown());
}

grpc::ServerGenericBidiReactor* ReflectionService::CreateReactor(grpc::GenericCallbackServerContext* context) {
  if (!IsReflection(context->method())) return new UnknownMethod(context->method());
  return new Conversation(*this);
}

}  // namespace everfold
