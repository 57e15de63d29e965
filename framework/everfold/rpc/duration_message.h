// absl::Duration as google.protobuf.Duration.
#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace everfold {

inline google::protobuf::Duration DurationMessage(absl::Duration duration) {
  google::protobuf::Duration message;
  message.set_seconds(absl::ToInt64Seconds(duration));
  message.set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
  return message;
}

}  // namespace everfold
