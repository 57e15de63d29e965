#include "everfold/rpc/receipt_message.h"

#include <variant>

#include "everfold/rpc/status.h"
#include "google/protobuf/util/time_util.h"

namespace everfold {
namespace {

void Fill(const CommandReceipt& from, v1::CommandReceipt& to) {
  if (!from.stream.id.empty()) to.set_stream(from.stream.ToString());
  to.set_version(from.version.value());
  to.set_consistency_token(EncodeToken(from.token));
  to.set_sequence(from.sequence.value());
  to.set_repeated(from.repeated);
  for (const StreamVersion& stream : from.streams) {
    auto& added = *to.add_streams();
    added.set_stream(stream.stream.ToString());
    added.set_version(stream.version.value());
  }
  using google::protobuf::util::TimeUtil;
  *to.mutable_recorded_at() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(from.recorded_at));
}

}  // namespace

absl::Status FillReceipt(const absl::StatusOr<CommandOutcome>& outcome, v1::CommandReceipt& receipt) {
  if (!outcome.ok()) return outcome.status();
  if (const auto* rejection = std::get_if<Rejection>(&*outcome)) return RejectionStatus(rejection->subject, *rejection);
  Fill(std::get<CommandReceipt>(*outcome), receipt);
  return absl::OkStatus();
}

}  // namespace everfold
