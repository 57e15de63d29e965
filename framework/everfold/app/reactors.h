// The verb `reactors`: what an application that runs says of its reactors, and is asked to do.
#pragma once

#include <string>
#include <vector>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/v1/reactor_service.pb.h"

namespace everfold {

ExitCode Reactors(const std::string& app, const CommandLine& line);

// "running".
const char* NameOf(v1::ReactorState state);
// A table, one line a reactor, and what there is to say of each below.
std::string FormatReactors(const std::vector<v1::ReactorInfo>& reactors);
std::string FormatWaitingReactions(const std::vector<v1::WaitingReaction>& reactions);

}  // namespace everfold
