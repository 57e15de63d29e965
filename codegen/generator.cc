#include "codegen/generator.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "codegen/api_proto.h"
#include "codegen/header.h"
#include "codegen/model.h"
#include "codegen/names.h"
#include "codegen/problems.h"
#include "codegen/services.h"
#include "codegen/source.h"
#include "google/protobuf/io/printer.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace everfold::codegen {
namespace {

using google::protobuf::compiler::GeneratorContext;

using Emitter = void (*)(const Domain& domain, pb::io::Printer& out);

void Write(const Domain& domain, const std::string& path, Emitter emit, GeneratorContext& context) {
  const std::unique_ptr<pb::io::ZeroCopyOutputStream> stream(context.Open(path));
  pb::io::Printer out(stream.get(), '$');
  emit(domain, out);
}

void WriteCpp(const Domain& domain, GeneratorContext& context) {
  const std::string stem = Stem(*domain.file);
  Write(domain, stem + ".everfold.h", EmitHeader, context);
  Write(domain, stem + ".everfold.cc", EmitSource, context);
}

// The file whose domain the services of `api` serve.
const pb::FileDescriptor* ServedFile(const pb::FileDescriptor& api) {
  const v1::ServiceOptions& options = api.service(0)->options().GetExtension(v1::service);
  const std::string& served = options.has_commands_of() ? options.commands_of() : options.queries_of();
  return api.pool()->FindFileContainingSymbol(served);
}

void WriteServices(const pb::FileDescriptor& api, GeneratorContext& context, Problems& problems) {
  const pb::FileDescriptor* served = ServedFile(api);
  if (served == nullptr) {
    problems.Add(*api.service(0), api.service(0)->name() +
                                      " serves a message that is not declared; generate this file anew, with pass=api");
    return;
  }
  const Domain domain = ReadDomain(*served, problems);
  if (problems.empty()) CheckServices(domain, api, problems);
  if (problems.empty()) Write(domain, Stem(api) + ".everfold.cc", EmitServices, context);
}

// The api file of a domain that has no service: one of processes alone.
bool IsEmptyApi(const pb::FileDescriptor& file) {
  return absl::EndsWith(Stem(file), "_api") && file.service_count() == 0 && file.message_type_count() == 0;
}

void WriteNoServices(const pb::FileDescriptor& api, GeneratorContext& context) {
  const std::unique_ptr<pb::io::ZeroCopyOutputStream> stream(context.Open(Stem(api) + ".everfold.cc"));
  pb::io::Printer(stream.get(), '$')
      .Print("// Generated from $proto$ by protoc-gen-everfold; it has no service.\n", "proto", api.name());
}

void WriteDomain(const pb::FileDescriptor& file, bool api, GeneratorContext& context, Problems& problems) {
  const Domain domain = ReadDomain(file, problems);
  if (!problems.empty()) return;
  if (api) {
    Write(domain, Stem(file) + "_api.proto", EmitApiProto, context);
  } else {
    WriteCpp(domain, context);
  }
}

}  // namespace

bool Generator::Generate(const pb::FileDescriptor* file, const std::string& parameter, GeneratorContext* context,
                         std::string* error) const {
  if (parameter != "pass=api" && parameter != "pass=cpp") {
    *error = absl::StrFormat("%s: unknown parameter '%s'; give --everfold_out=pass=api:DIR or pass=cpp:DIR",
                             file->name(), parameter);
    return false;
  }
  const bool api = parameter == "pass=api";
  Problems problems;
  if (!api && IsGeneratedApi(*file)) {
    WriteServices(*file, *context, problems);
  } else if (!api && IsEmptyApi(*file)) {
    WriteNoServices(*file, *context);
  } else {
    WriteDomain(*file, api, *context, problems);
  }
  *error = problems.ToString();
  return problems.empty();
}

bool Generator::GenerateAll(const std::vector<const pb::FileDescriptor*>& files, const std::string& parameter,
                            GeneratorContext* context, std::string* error) const {
  for (const pb::FileDescriptor* file : files) {
    std::string of_file;
    if (Generate(file, parameter, context, &of_file)) continue;
    if (!error->empty()) error->append("\n");
    error->append(of_file);
  }
  return error->empty();
}

}  // namespace everfold::codegen
