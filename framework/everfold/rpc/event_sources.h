// The events of a stream, or of all of them, response by response.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "everfold/rpc/read_call.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

// A response is about so large, so that a caller who reads slowly holds up little memory.
inline constexpr std::size_t kEventsAResponse = 500;
inline constexpr std::size_t kBytesAResponse = 1 << 20;

// Errors as EventStore::ReadStream, Subscription::Start and ReadLatest. A long part of the log is read ahead on
// `executor`. Lifetime: store and executor outlive them.
absl::StatusOr<std::unique_ptr<ResponseSource>> SourceOf(const EventStore& store, const v1::ReadStreamRequest& request);
absl::StatusOr<std::unique_ptr<ResponseSource>> SourceOf(const EventStore& store, Executor& executor,
                                                         const v1::ReadAllRequest& request);

}  // namespace everfold
