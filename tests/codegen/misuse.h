// What the tests of refused files have in common.
#pragma once

#include <string>

#include "tests/codegen/generator_run.h"

namespace everfold::codegen {

// The file bad.proto: a head of 5 lines, then `body`, which thus begins at line 6.
std::string BadFile(const std::string& body);

// The error of generating C++ for bad.proto with this body.
std::string ErrorOf(const std::string& body);

// A line with an aggregate and a command, for bodies about something else.
extern const std::string kWallet;

}  // namespace everfold::codegen
