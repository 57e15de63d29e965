#include "reactors/order_mail.h"

#include <string>

#include "absl/strings/str_format.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace shop::v1 {
namespace {

std::string TotalOf(const OrderPlaced& e) {
  const std::int64_t minor = e.items_total().minor() + e.freight_total().minor();
  return absl::StrFormat("%d %s, in minor units", minor, e.currency());
}

}  // namespace

absl::Status OrderMail::On(const OrderPlaced& e, const Reaction& reaction) {
  if (e.origin() == ORIGIN_IMPORTED) return absl::OkStatus();
  google::protobuf::Struct mail;
  auto& fields = *mail.mutable_fields();
  fields["id"].set_string_value(reaction.id);
  fields["to"].set_string_value(e.customer_id());
  fields["subject"].set_string_value(absl::StrFormat("We have your order %s", reaction.stream.id));
  fields["total"].set_string_value(TotalOf(e));
  std::string line;
  if (const auto written = google::protobuf::util::MessageToJsonString(mail, &line); !written.ok()) {
    return absl::InvalidArgumentError("the mail has no JSON form");
  }
  return outbox_.Add(reaction.id, line);
}

}  // namespace shop::v1
