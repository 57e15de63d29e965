#include "everfold/testing/message_text.h"

#include "google/protobuf/text_format.h"

namespace everfold::testing {

std::string TextOf(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string fields;
  printer.PrintToString(message, &fields);
  if (!fields.empty() && fields.back() == ' ') fields.pop_back();
  return message.GetDescriptor()->name() + " {" + fields + "}";
}

}  // namespace everfold::testing
