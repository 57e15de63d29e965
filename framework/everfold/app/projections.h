// The verbs `projections` and `parked`: what an application that runs says of its projections, and is asked to do.
#pragma once

#include <string>
#include <vector>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/v1/projection_service.pb.h"

namespace everfold {

ExitCode Projections(const std::string& app, const CommandLine& line);
ExitCode Parked(const std::string& app, const CommandLine& line);

// A table, one line a projection, and what there is to say of each below.
std::string FormatProjections(const std::vector<v1::ProjectionInfo>& projections);
// Where they differ, table by table, with examples.
std::string FormatComparison(const std::string& projection, const v1::CompareProjectionResponse& comparison);
std::string FormatParkedKeys(const std::vector<v1::ParkedKey>& keys);
std::string FormatParkedEvents(const std::vector<v1::ParkedEvent>& events);

}  // namespace everfold
