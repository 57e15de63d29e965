#include "everfold/rpc/call_headers.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

absl::Status HeaderError(const char* name, const char* problem) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("header %s %s", name, problem), {{"header", name}});
}

// "" if it is not there.
absl::StatusOr<std::string> HeaderValue(const grpc::CallbackServerContext& context, const char* name) {
  const auto [first, last] = context.client_metadata().equal_range(name);
  if (first == last) return "";
  if (std::next(first) != last) return HeaderError(name, "is given more than once");
  std::string value(first->second.data(), first->second.size());
  if (!IsPrintableUtf8(value)) return HeaderError(name, "is not printable UTF-8");
  return value;
}

bool IsLowerHex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

// version-trace id-parent id-flags, all in lower-case hexadecimal (W3C Trace Context, section 3.2).
bool IsTraceparent(std::string_view text) {
  constexpr std::size_t kBytes = 55;
  if (text.size() != kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  return IsLowerHex(text.substr(0, 2)) && text.substr(0, 2) != "ff" && IsLowerHex(trace_id) && IsLowerHex(parent_id) &&
         IsLowerHex(text.substr(53)) && trace_id.find_first_not_of('0') != std::string_view::npos &&
         parent_id.find_first_not_of('0') != std::string_view::npos;
}

std::string TraceparentOf(const grpc::CallbackServerContext& context) {
  absl::StatusOr<std::string> value = HeaderValue(context, "traceparent");
  return value.ok() && IsTraceparent(*value) ? *std::move(value) : "";
}

}  // namespace

// Streams belong to tenants, but the rows of read models do not yet: a caller of another tenant would change and read
// rows that are not its own.
absl::Status RefuseTenant(const grpc::CallbackServerContext& context) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string tenant, HeaderValue(context, "everfold-tenant"));
  if (tenant.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
               "the header everfold-tenant is not served: read models do not keep tenants apart; leave it out");
}

absl::StatusOr<CallHeaders> ReadCallHeaders(const grpc::CallbackServerContext& context) {
  CallHeaders headers;
  EVERFOLD_ASSIGN_OR_RETURN(headers.idempotency_key, HeaderValue(context, "idempotency-key"));
  EVERFOLD_RETURN_IF_ERROR(RefuseTenant(context));
  EVERFOLD_ASSIGN_OR_RETURN(headers.metadata.actor, HeaderValue(context, "everfold-actor"));
  EVERFOLD_ASSIGN_OR_RETURN(headers.metadata.correlation_id, HeaderValue(context, "everfold-correlation-id"));
  EVERFOLD_ASSIGN_OR_RETURN(headers.metadata.causation_id, HeaderValue(context, "everfold-causation-id"));
  headers.metadata.traceparent = TraceparentOf(context);
  return headers;
}

}  // namespace everfold
