// Appends as messages of everfold.v1, and as the store takes them.
#pragma once

#include "absl/status/statusor.h"
#include "everfold/store/event_store.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

// INVALID_ARGUMENT for what the store's own types cannot say: a stream without '/', an unknown state, a time that is
// none. The store checks the rest.
absl::StatusOr<AppendRequest> AppendRequestOf(const v1::AppendRequest& message, const EventStore& store);

void Fill(const AppendResult& result, const EventStore& store, v1::AppendResponse& message);

// As the store takes it. INVALID_ARGUMENT for a time outside the years 1 to 9999.
absl::StatusOr<absl::Time> TimeOf(const google::protobuf::Timestamp& time, const char* what);

Metadata MetadataOf(const v1::EventMetadata& message);
EventQuery EventQueryOf(const v1::EventQuery& message);

}  // namespace everfold
