#include "everfold/event/consistency_token.h"

#include "absl/strings/escaping.h"
#include "everfold/base/error.h"
#include "everfold/v1/token.pb.h"

namespace everfold {
namespace {

absl::Status NotAToken() {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "consistency_token is not one that a receipt carried");
}

}  // namespace

std::string EncodeToken(const ConsistencyToken& token) {
  v1::ConsistencyToken message;
  message.set_epoch(token.epoch.bytes);
  for (const Position& position : token.positions) {
    auto& added = *message.add_positions();
    added.set_partition(position.partition.value());
    added.set_offset(position.offset.value());
  }
  message.set_sequence(token.sequence.value());
  return absl::WebSafeBase64Escape(message.SerializeAsString());
}

absl::StatusOr<ConsistencyToken> DecodeToken(std::string_view text) {
  std::string bytes;
  v1::ConsistencyToken message;
  const bool decoded = absl::WebSafeBase64Unescape(std::string(text), &bytes) && message.ParseFromString(bytes);
  if (!decoded || message.epoch().size() != 16) return NotAToken();
  ConsistencyToken token{.epoch = {message.epoch()}, .positions = {}, .sequence = Sequence(message.sequence())};
  for (const auto& position : message.positions()) {
    token.positions.push_back({PartitionId(position.partition()), Offset(position.offset())});
  }
  if (EncodeToken(token) != text) return NotAToken();
  return token;
}

}  // namespace everfold
