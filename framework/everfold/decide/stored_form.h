// Events as they may be stored beside the form of today: under a name that the message had before, or as an event that
// another one supersedes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"

namespace everfold {

// Threading: immutable once made.
struct StoredForm {
  using Message = google::protobuf::Message;
  // The payload as one of `becomes`; nullopt if it does not parse. Runs the decider's Upcast, which may throw.
  using Upcast = std::optional<std::string> (*)(std::string_view payload);

  std::string name;     // full message name under which the events are stored
  std::string becomes;  // full message name of the event of today that they are read as
  const google::protobuf::Descriptor* descriptor = nullptr;  // of the message that their payloads are parsed as
  std::string fingerprint;                                   // of the same, 32 bytes
  int upcast_revision = 0;                                   // 0: nothing is upcast, only the name is another
  Upcast upcast = nullptr;                                   // nullptr: the payload is one of `becomes`
  // As AggregateEvent::evolve_payload, by way of the upcast.
  bool (*evolve_payload)(Message& state, std::string_view payload) = nullptr;
};

}  // namespace everfold
