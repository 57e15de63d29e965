// The name of one aggregate instance's stream.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace everfold {

inline constexpr std::size_t kMaxAggregateNameBytes = 64;
inline constexpr std::size_t kMaxIdBytes = 200;
inline constexpr std::size_t kMaxTenantBytes = 64;

// `<aggregate>/<id>` within a tenant. The aggregate matches [a-z][a-z0-9_]{0,63}, or begins with '$' where the
// framework owns it; the id is 1 to 200 bytes of printable UTF-8; the tenant is printable UTF-8, empty by default.
struct StreamId {
  std::string tenant;
  std::string aggregate;
  std::string id;

  // "wallet/w1"; the tenant is not part of it.
  std::string ToString() const;

  friend auto operator<=>(const StreamId&, const StreamId&) = default;
  template <class H>
  friend H AbslHashValue(H state, const StreamId& stream) {
    return H::combine(std::move(state), stream.tenant, stream.aggregate, stream.id);
  }
};

// The parts of "wallet/w1", not yet validated. INVALID_ARGUMENT without a '/'.
absl::StatusOr<StreamId> ParseStreamId(std::string_view text, std::string_view tenant = {});

// INVALID_ARGUMENT that names the part, the limit and what was met.
absl::Status ValidateStreamId(const StreamId& stream);

// INVALID_ARGUMENT unless `text` has 1 to `max_bytes` bytes of printable UTF-8. `what` names it in the message.
absl::Status ValidateName(std::string_view text, std::size_t max_bytes, const char* what);

// True for valid UTF-8 without control characters (C0, DEL, C1), line separators and marks of text direction: two
// names that look alike to a reader should not differ in what cannot be seen.
bool IsPrintableUtf8(std::string_view text);

// What an error shows of a text that may be anything: not all of it, in quotes, and nothing that a terminal obeys.
std::string ShownText(std::string_view text);

}  // namespace everfold
