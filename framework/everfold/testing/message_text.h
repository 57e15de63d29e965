// Messages as one line of text, for failures that a person reads.
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace everfold::testing {

// "Deposited {amount_minor: 100}". Two messages of one type have equal texts exactly when they are equal.
std::string TextOf(const google::protobuf::Message& message);

}  // namespace everfold::testing
