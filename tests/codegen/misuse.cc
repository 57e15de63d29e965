#include "tests/codegen/misuse.h"

namespace everfold::codegen {

const std::string kWallet =
    "message Wallet { option (everfold.v1.message).aggregate = {}; string id = 1 [(everfold.v1.field).id = true]; } "
    "message Open { option (everfold.v1.message).command = {}; string id = 1 [(everfold.v1.field).id = true]; }\n";

std::string BadFile(const std::string& body) {
  return "syntax = \"proto3\";\n"
         "package bad.v1;\n"
         "import \"everfold/v1/options.proto\";\n"
         "import \"google/protobuf/duration.proto\"; import \"google/protobuf/timestamp.proto\";\n"
         "// body\n" +
         body;
}

std::string ErrorOf(const std::string& body) {
  return RunGenerator("bad.proto", "pass=cpp", {{"bad.proto", BadFile(body)}}).error;
}

}  // namespace everfold::codegen
