// Identity of a message type's meaning on the wire.
#pragma once

#include <string>

#include "google/protobuf/descriptor.h"

namespace everfold {

// SHA-256 (32 bytes) of the message and everything its fields reach: names of messages, numbers, names, types, labels
// and presence of fields, oneofs, enum values, and our options. Comments, declaration order and other options do not
// count. Two binaries with equal fingerprints read each other's payloads alike.
std::string FingerprintOf(const google::protobuf::Descriptor& message);

}  // namespace everfold
