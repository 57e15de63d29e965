// Events as the bytes of a response, each an everfold.v1.RecordedEvent on the wire, without a message for each of them.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <string>

#include "everfold/event/recorded_event.h"

namespace everfold {

// A response in the making. Threading: one thread.
class EventBytes {
 public:
  // Adds it to `events`, which is field 1 of every response that has events.
  void Add(const RecordedEvent& event);
  // What else the response says: one of its own type, without events. Once, behind the events.
  void Add(const google::protobuf::MessageLite& rest) { rest.AppendToString(&bytes_); }

  std::size_t events() const { return events_; }
  std::size_t size() const { return bytes_.size(); }

  // The response. Empty afterwards, as at first.
  grpc::ByteBuffer Release();

 private:
  std::string bytes_;
  std::size_t events_ = 0;
  std::size_t released_ = 0;  // bytes of the response before
};

}  // namespace everfold
