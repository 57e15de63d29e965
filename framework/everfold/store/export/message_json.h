// Messages in Protobuf's JSON form, and back, by Protobuf's own library.
//
// Its plain functions describe the message's type to themselves anew for every message, which takes longer than all the
// rest. Who has many to convert keeps one of these.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace everfold {

// Braces and brackets in each other, of a text that is read. Protobuf itself reads messages 100 deep, of which each
// level of a Struct takes three.
inline constexpr int kMaxJsonNesting = 32;
// Likewise of a Struct that ToStruct makes, which is to fit into other messages.
inline constexpr int kMaxStructNesting = 24;

// True if a JSON text has more braces and brackets in each other than that, whatever else may be wrong with it. Names
// and texts are quoted by either mark.
bool IsNestedDeeper(std::string_view json, int limit);

// Of messages that this binary has. Threading: one thread.
class MessageJson {
 public:
  MessageJson();
  ~MessageJson();
  MessageJson(const MessageJson&) = delete;
  MessageJson& operator=(const MessageJson&) = delete;

  // Without line breaks; equal messages have equal texts. INTERNAL, with the library's words, for a message that has no
  // JSON form.
  absl::StatusOr<std::string> Write(const google::protobuf::Message& message);
  // Replaces what is in `message`. INVALID_ARGUMENT, with what is wrong, for text that is no such message as a whole,
  // or is nested too deep.
  absl::Status Read(std::string_view json, google::protobuf::Message& message);

  // A serialized message as a JSON value. False if this binary does not have its type, the bytes are no such message,
  // or it has no JSON form, or one that is nested too deep; then `value` is empty.
  bool ToStruct(const std::string& type, const std::string& payload, google::protobuf::Struct& value);

 private:
  class Types;

  bool Decodes(const std::string& type, const std::string& payload) const;

  const std::unique_ptr<Types> types_;
  std::string bytes_;  // scratch
  std::string text_;   // scratch
};

}  // namespace everfold
