// Runs the generator in this process, the way protoc runs the plugin: the request is made of serialized descriptors.
#pragma once

#include <map>
#include <string>

namespace everfold::codegen {

using Files = std::map<std::string, std::string>;  // contents by path

struct GeneratorRun {
  Files files;
  std::string error;  // of the .proto file's parser, or of the generator
};

// Generates for `path`, which is looked for in `sources`, then in `root`, everfold's own .proto files and protobuf's.
GeneratorRun RunGenerator(const std::string& path, const std::string& parameter, const Files& sources,
                          const std::string& root = "");

}  // namespace everfold::codegen
