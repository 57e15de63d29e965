// What a projection says of itself, as messages.
#pragma once

#include "everfold/projection/parked_events.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_status.h"
#include "everfold/projection/verify_read_model.h"
#include "everfold/v1/projection_service.pb.h"

namespace everfold {

v1::ProjectionInfo ProjectionMessage(const ProjectionStatus& status);
v1::CompareProjectionResponse ComparisonMessage(const VersionComparison& comparison);
v1::VerifiedProjection VerifiedMessage(const VerifiedReadModel& verified);
VerifiedReadModel VerifiedOf(const std::string& projection, const v1::VerifiedProjection& message);
v1::ParkedKey ParkedKeyMessage(const ParkedKey& key);
// Without its payload.
v1::ParkedEvent ParkedEventMessage(const ParkedEvent& event);

}  // namespace everfold
