#include "everfold/event/position.h"

#include "everfold/base/digest.h"

namespace everfold {

std::string Epoch::ToString() const { return HexEncode(bytes); }

}  // namespace everfold
