#include "tools/import/rpc_status.h"

#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace everfold {
namespace {

std::string DescribeViolation(const google::rpc::BadRequest::FieldViolation& violation) {
  return absl::StrFormat("%s %s", violation.field(), violation.description());
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return result;
  for (const google::protobuf::Any& detail : details.details()) {
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

std::string Describe(const absl::Status& status) {
  google::rpc::BadRequest bad;
  if (!FindDetail(status, bad) || bad.field_violations().empty())
    return status.ToString(absl::StatusToStringMode::kWithNoExtraData);
  return absl::StrJoin(bad.field_violations(), "; ",
                       [](std::string* out, const auto& violation) { *out += DescribeViolation(violation); });
}

}  // namespace everfold
