#include "everfold/decide/context.h"

#include "everfold/base/uuid.h"

namespace everfold {

std::string Context::NewId() { return NewUuid(now_, random_); }

}  // namespace everfold
