#include "everfold/rpc/status.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/v1/missed_events.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

using google::protobuf::Any;

constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";
constexpr std::size_t kMaxRejectionTextBytes = 200;

// The longest prefix of at most `max_bytes` that ends where a character ends, with an ellipsis where something was cut.
std::string Shortened(std::string text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// ErrorInfo first, because it matters most; the rest by name, so that the same status always looks the same.
std::vector<Any> OrderedDetails(const absl::Status& status) {
  std::vector<Any> details;
  status.ForEachPayload([&details](absl::string_view type_url, const absl::Cord& payload) {
    if (!absl::StartsWith(type_url, kTypeUrlPrefix)) return;
    Any& detail = details.emplace_back();
    detail.set_type_url(type_url.data(), type_url.size());
    detail.set_value(std::string(payload));
  });
  std::sort(details.begin(), details.end(), [](const Any& a, const Any& b) {
    const bool a_is_info = a.Is<google::rpc::ErrorInfo>();
    const bool b_is_info = b.Is<google::rpc::ErrorInfo>();
    return a_is_info != b_is_info ? a_is_info : a.type_url() < b.type_url();
  });
  return details;
}

// Drops items from the end until the packed message is small enough. False if there is nothing left to drop.
template <class Detail, class DropLast>
bool Shrink(Any& detail, std::size_t max_bytes, DropLast drop_last) {
  Detail content;
  if (!detail.UnpackTo(&content)) return false;
  while (detail.ByteSizeLong() > max_bytes) {
    if (!drop_last(content)) return false;
    detail.PackFrom(content);
  }
  return true;
}

bool DropLastViolation(google::rpc::BadRequest& bad_request) {
  if (bad_request.field_violations_size() == 0) return false;
  bad_request.mutable_field_violations()->RemoveLast();
  return bad_request.field_violations_size() > 0;
}

bool DropMetadata(google::rpc::ErrorInfo& info) {
  if (info.metadata().empty()) return false;
  info.clear_metadata();
  return true;
}

bool DropLastEvent(v1::MissedEvents& missed) {
  if (missed.events().empty()) return false;
  missed.mutable_events()->RemoveLast();
  missed.set_more(true);
  return true;
}

bool Fit(Any& detail, std::size_t max_bytes) {
  if (detail.ByteSizeLong() <= max_bytes) return true;
  if (detail.Is<google::rpc::BadRequest>())
    return Shrink<google::rpc::BadRequest>(detail, max_bytes, DropLastViolation);
  if (detail.Is<google::rpc::ErrorInfo>()) return Shrink<google::rpc::ErrorInfo>(detail, max_bytes, DropMetadata);
  if (detail.Is<v1::MissedEvents>()) return Shrink<v1::MissedEvents>(detail, max_bytes, DropLastEvent);
  return false;
}

void AddWithinBounds(std::vector<Any> details, google::rpc::Status& status) {
  constexpr std::size_t kFramingBytes = 4;  // tag and length of one detail
  for (Any& detail : details) {
    const std::size_t used = status.ByteSizeLong() + kFramingBytes;
    if (used < kMaxStatusDetailBytes && Fit(detail, kMaxStatusDetailBytes - used)) {
      *status.add_details() = std::move(detail);
    }
  }
}

// "InsufficientFunds {missing_minor: 20}"
std::string TextOf(const google::protobuf::Message& rejection) {
  const std::string fields = rejection.ShortDebugString();
  const std::string& name = rejection.GetDescriptor()->name();
  return Shortened(fields.empty() ? name : absl::StrFormat("%s {%s}", name, fields), kMaxRejectionTextBytes);
}

}  // namespace

google::rpc::Status ToStatusMessage(const absl::Status& status) {
  google::rpc::Status details;
  if (status.ok()) return details;
  details.set_code(status.raw_code());
  const absl::string_view message = status.message();
  details.set_message(Shortened(std::string(message.data(), message.size()), kMaxStatusMessageBytes));
  AddWithinBounds(OrderedDetails(status), details);
  return details;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status details = ToStatusMessage(status);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(), details.SerializeAsString());
}

absl::Status RejectionStatus(std::string_view subject, const Rejection& rejection) {
  EVERFOLD_CHECK(rejection.message != nullptr);
  const std::string& type = rejection.message->GetDescriptor()->full_name();
  const std::string text = TextOf(*rejection.message);
  google::rpc::PreconditionFailure failure;
  auto& violation = *failure.add_violations();
  violation.set_type(type);
  violation.set_subject(std::string(subject));
  violation.set_description(text);

  const bool has_code = rejection.code != absl::StatusCode::kOk;
  absl::Status status =
      Error(has_code ? rejection.code : absl::StatusCode::kFailedPrecondition, reason::kCommandRejected,
            absl::StrFormat("%s: %s", subject, text), {{"rejection", type}});
  AddDetail(status, failure);
  AddDetail(status, *rejection.message);
  return status;
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return result;
  for (const auto& detail : details.details()) result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return result;
}

}  // namespace everfold
