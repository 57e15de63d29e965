// Identifiers for new things: UUID version 7 (RFC 9562), ordered by time of creation.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "everfold/base/random.h"

namespace everfold {

// "0190f5d2-6c7e-7a31-9c4b-2f0c5d1e8a77": 48 bits of milliseconds since 1970, then random bits.
std::string NewUuid(absl::Time now, RandomSource& random);

// The identifier of a thing that has a name: UUID version 5 (RFC 9562, section 5.5) in a name space of this framework.
// The same name gives the same identifier, on every machine.
std::string UuidOfName(std::string_view name);

}  // namespace everfold
