#include "everfold/command/recorded_outcome.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/v1/recorded_outcome.pb.h"

namespace everfold {
namespace {

absl::Status Damaged() {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, "the recorded outcome of a command does not parse");
}

absl::StatusOr<Rejection> UnpackRejection(const google::protobuf::Any& packed, const RejectionTypes& rejections,
                                          const std::string& part) {
  const std::string name = packed.type_url().substr(packed.type_url().rfind('/') + 1);
  const auto type = rejections.find(name);
  if (type == rejections.end()) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kUnknownType,
                 absl::StrFormat("%s rejected this command by %s, which this binary does not know", part, name),
                 {{"type", name}});
  }
  Rejection rejection{.message = std::unique_ptr<google::protobuf::Message>(type->second.prototype->New()),
                      .code = type->second.code};
  if (!rejection.message->ParseFromString(packed.value())) return Damaged();
  return rejection;
}

}  // namespace

std::string EncodeOutcome(Version version, const Rejection* rejection) {
  v1::RecordedOutcome outcome;
  outcome.set_version(version.value());
  if (rejection != nullptr) outcome.mutable_rejection()->PackFrom(*rejection->message);
  return outcome.SerializeAsString();
}

absl::StatusOr<RecordedOutcome> DecodeOutcome(const std::string& bytes, const RejectionTypes& rejections,
                                              const std::string& part) {
  v1::RecordedOutcome outcome;
  if (!outcome.ParseFromString(bytes)) return Damaged();
  RecordedOutcome decoded{.version = Version(outcome.version()), .rejection = std::nullopt};
  if (outcome.has_rejection()) {
    EVERFOLD_ASSIGN_OR_RETURN(decoded.rejection, UnpackRejection(outcome.rejection(), rejections, part));
  }
  return decoded;
}

}  // namespace everfold
