#include "everfold/rpc/append_many_call.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/status.h"

namespace everfold {
namespace {

absl::StatusOr<AppendRequest> Checked(const v1::AppendRequest& message, const EventStore& store,
                                      const RawAppendGuard& guard) {
  EVERFOLD_ASSIGN_OR_RETURN(AppendRequest request, AppendRequestOf(message, store));
  EVERFOLD_RETURN_IF_ERROR(guard.Check(request));
  return request;
}

v1::AppendManyResponse::Item AnswerOf(const absl::StatusOr<AppendResult>& result, const EventStore& store) {
  v1::AppendManyResponse::Item answer;
  if (result.ok()) {
    Fill(*result, store, *answer.mutable_appended());
  } else {
    *answer.mutable_error() = ToStatusMessage(result.status());
  }
  return answer;
}

}  // namespace

AppendManyCall* StartAppendMany(grpc::CallbackServerContext& context, EventStore& store, const RawAppendGuard& guard,
                                LongCalls& calls) {
  return AppendManyCall::Start(
      context,
      [&store, &guard](const v1::AppendManyRequest::Item& item, AppendManyCall::Reply reply) {
        absl::StatusOr<AppendRequest> request = Checked(item.append(), store, guard);
        if (!request.ok()) return reply.Send(AnswerOf(request.status(), store));
        store.Append(*std::move(request), [&store, reply](const absl::StatusOr<AppendResult>& result) {
          reply.Send(AnswerOf(result, store));
        });
      },
      calls);
}

}  // namespace everfold
