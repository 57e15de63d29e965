#include "everfold/app/dropped_stream.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/event_key.h"

namespace everfold {

absl::StatusOr<StreamId> DroppedStream(const CommandLine& line) {
  absl::StatusOr<StreamId> stream = StreamOfKey(line.stream.empty() ? line.key : line.stream);
  if (stream.ok() || !line.stream.empty()) return stream;
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("the key %s is no stream: name that of the event with --stream", ShownText(line.key)));
}

std::string StreamForPeople(const std::string& stream, const std::string& tenant) {
  const absl::StatusOr<StreamId> parsed = ParseStreamId(stream, tenant);
  return ShownText(parsed.ok() ? KeyOfStream(*parsed) : stream);
}

}  // namespace everfold
