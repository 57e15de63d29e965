// protoc-gen-everfold, as protoc knows it. Parameters:
//
//   pass=api   a.proto -> a_api.proto: the services of its aggregates and read models
//   pass=cpp   a.proto -> a.everfold.h, a.everfold.cc: traits, validators, factories, rows
//              a_api.proto -> a_api.everfold.cc: the services' implementations
//
// Errors: each misuse of the options is a line "file:line: what is wrong; what to do", all of a file at once.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/compiler/code_generator.h"

namespace everfold::codegen {

class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  std::uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }

  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context, std::string* error) const override;
  // The default puts the file's name before the error, which has it already.
  bool GenerateAll(const std::vector<const google::protobuf::FileDescriptor*>& files, const std::string& parameter,
                   google::protobuf::compiler::GeneratorContext* context, std::string* error) const override;
};

}  // namespace everfold::codegen
