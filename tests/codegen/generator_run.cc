#include "tests/codegen/generator_run.h"

#include <memory>
#include <set>

#include "absl/strings/str_format.h"
#include "codegen/generator.h"
#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/compiler/plugin.h"
#include "google/protobuf/compiler/plugin.pb.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold::codegen {
namespace {

namespace pb = google::protobuf;

class MemoryOrDisk final : public pb::compiler::SourceTree {
 public:
  MemoryOrDisk(const Files& files, const std::string& root) : files_(files) {
    if (!root.empty()) disk_.MapPath("", root);
    disk_.MapPath("", EVERFOLD_TEST_PROTO_DIR);
    disk_.MapPath("", EVERFOLD_TEST_PROTOBUF_DIR);
  }
  pb::io::ZeroCopyInputStream* Open(const std::string& path) override {
    const auto file = files_.find(path);
    if (file == files_.end()) return disk_.Open(path);
    return new pb::io::ArrayInputStream(file->second.data(), static_cast<int>(file->second.size()));
  }

 private:
  const Files& files_;
  pb::compiler::DiskSourceTree disk_;
};

class ErrorText final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int, const std::string& message) override {
    absl::StrAppendFormat(&text, "%s:%d: %s\n", file, line + 1, message);
  }
  std::string text;
};

void AddWithImports(const pb::FileDescriptor& file, std::set<std::string>& added,
                    pb::compiler::CodeGeneratorRequest& request) {
  if (!added.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), added, request);
  pb::FileDescriptorProto& proto = *request.add_proto_file();
  file.CopyTo(&proto);
  file.CopyJsonNameTo(&proto);
  file.CopySourceCodeInfoTo(&proto);
}

}  // namespace

GeneratorRun RunGenerator(const std::string& path, const std::string& parameter, const Files& sources,
                          const std::string& root) {
  MemoryOrDisk tree(sources, root);
  ErrorText errors;
  pb::compiler::Importer importer(&tree, &errors);
  const pb::FileDescriptor* file = importer.Import(path);
  if (file == nullptr) return {{}, "parser: " + errors.text};
  pb::compiler::CodeGeneratorRequest request;
  request.add_file_to_generate(path);
  request.set_parameter(parameter);
  std::set<std::string> added;
  AddWithImports(*file, added, request);
  pb::compiler::CodeGeneratorResponse response;
  GeneratorRun run;
  if (!pb::compiler::GenerateCode(request, Generator(), &response, &run.error)) return run;
  run.error = response.error();
  for (const auto& output : response.file()) run.files[output.name()] = output.content();
  return run;
}

}  // namespace everfold::codegen
