#include "codegen/services.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/names.h"
#include "codegen/reserved_names.h"

namespace everfold::codegen {
namespace {

std::string InNamespace(const pb::FileDescriptor& file, const std::string& name) {
  const std::string name_space = CppNamespace(file);
  return name_space.empty() ? "::" + name : "::" + name_space + "::" + name;
}

// What protoc calls the first field of an rpc's response in C++.
std::string ResponseField(const pb::FileDescriptor& file, const std::string& rpc) {
  const std::string prefix = file.package().empty() ? "" : file.package() + ".";
  const pb::Descriptor* response = file.pool()->FindMessageTypeByName(prefix + rpc + "Response");
  return FieldName(*response->FindFieldByNumber(1));
}

void CheckService(const pb::FileDescriptor& api, const std::string& name, const std::vector<std::string>& rpcs,
                  Problems& problems) {
  const pb::ServiceDescriptor* service = api.FindServiceByName(name);
  bool current = service != nullptr && service->method_count() == static_cast<int>(rpcs.size());
  for (const std::string& rpc : rpcs) current = current && service->FindMethodByName(rpc) != nullptr;
  if (current) return;
  problems.Add(api.name(), 1,
               absl::StrFormat("the service %s is not what its domain generates; generate this file "
                               "anew, with pass=api",
                               name));
}

void EmitIncludes(const Domain& domain, pb::io::Printer& out) {
  const std::string stem = Stem(*domain.file);
  out.Print(
      "// Generated from $stem$_api.proto by protoc-gen-everfold; do not edit.\n"
      "//\n"
      "// The services of $proto$: each method is one call of the framework.\n",
      "stem", stem, "proto", BaseName(*domain.file));
  if (!CommandsOf(domain).empty()) out.Print("#include \"everfold/rpc/command_call.h\"\n");
  if (!domain.read_models.empty()) out.Print("#include \"everfold/rpc/query_call.h\"\n");
  out.Print(
      "#include \"$stem$.everfold.h\"\n"
      "#include \"$stem$_api.grpc.pb.h\"\n\n"
      "namespace everfold {\nnamespace {\n\n",
      "stem", stem);
}

void EmitClassStart(const std::string& service, const std::string& qualified, const char* part_type, const char* part,
                    pb::io::Printer& out) {
  out.Print(
      "class $service$Rpc final : public RpcService,\n"
      "    public $qualified$::CallbackService {\n"
      " public:\n"
      "  explicit $service$Rpc($part_type$& $part$) : $part$_($part$) {}\n\n"
      "  const char* name() const override { return $qualified$::service_full_name(); }\n"
      "  grpc::Service& service() override { return *this; }\n",
      "service", service, "qualified", qualified, "part_type", part_type, "part", part);
}

void EmitClassEnd(const char* part_type, const char* part, const char* members, pb::io::Printer& out) {
  out.Print("\n private:\n  $part_type$& $part$_;\n$members$};\n\n", "part_type", part_type, "part", part, "members",
            members);
}

// A method up to its body.
void EmitMethodStart(const pb::FileDescriptor& file, const std::string& rpc, pb::io::Printer& out) {
  out.Print(
      "\n  grpc::ServerUnaryReactor* $rpc$(\n"
      "      grpc::CallbackServerContext* context, const $type$Request* request,\n"
      "      $type$Response* response) override {\n",
      "rpc", rpc, "type", InNamespace(file, rpc));
}

// Of an aggregate or a boundary.
template <class Part>
void EmitCommandService(const pb::FileDescriptor& file, const Part& part, pb::io::Printer& out) {
  const std::string service = CommandServiceName(*part.message);
  EmitClassStart(service, InNamespace(file, service), "CommandHandler", "commands", out);
  for (const Command& command : part.commands) {
    EmitMethodStart(file, command.message->name(), out);
    out.Print("    return HandleCommand(commands_, context, request, response);\n  }\n");
  }
  EmitClassEnd("CommandHandler", "commands", "", out);
}

// One in its place, several on a line each.
std::string KeyArguments(const ReadModel& read_model) {
  const std::string line = read_model.key.size() > 1 ? "\n            " : "";
  return line + absl::StrJoin(read_model.key, "," + line, [](std::string* text, const pb::FieldDescriptor* field) {
           absl::StrAppendFormat(text, "request->%s()", FieldName(*field));
         });
}

void EmitWatchMethod(const pb::FileDescriptor& file, const std::string& rpc, const char* handler,
                     const pb::Descriptor& row, const std::string& key, pb::io::Printer& out) {
  out.Print(
      "\n  grpc::ServerWriteReactor<$type$Response>* $rpc$(\n"
      "      grpc::CallbackServerContext* context, const $type$Request* request) override {\n"
      "    return $handler$<$row$, $type$Response>(\n"
      "        queries_, watches_, context, request,$key$\n"
      "        [](auto& response) { return response.mutable_$field$(); });\n  }\n",
      "rpc", rpc, "type", InNamespace(file, rpc), "handler", handler, "row", QualifiedName(row), "key", key, "field",
      ResponseField(file, rpc));
}

void EmitWatchMethods(const pb::FileDescriptor& file, const ReadModel& read_model, const std::string& key,
                      pb::io::Printer& out) {
  const pb::Descriptor& row = *read_model.message;
  EmitWatchMethod(file, "Watch" + row.name(), "HandleWatch", row,
                  absl::StrFormat("\n        ReadModelTraits<%s>::Key{%s},", QualifiedName(row), key), out);
  EmitWatchMethod(file, "Watch" + Plural(row.name()), "HandleWatchList", row, "", out);
}

void EmitQueryService(const pb::FileDescriptor& file, const ReadModel& read_model, pb::io::Printer& out) {
  const std::string service = QueryServiceName(read_model);
  const pb::Descriptor& row = *read_model.message;
  const std::string get = "Get" + row.name();
  const std::string list = "List" + Plural(row.name());
  const std::string key = KeyArguments(read_model);
  EmitClassStart(service, InNamespace(file, service), "QueryEngine", "queries", out);
  out.Print(
      "  void EndLongCalls() override { watches_.EndAll(); }\n"
      "  void CancelLongCalls() override { watches_.CancelAll(); }\n");
  EmitMethodStart(file, get, out);
  out.Print(
      "    return HandleGet<$row$>(\n"
      "        queries_, context, request, response->mutable_$field$(),\n"
      "        ReadModelTraits<$row$>::Key{$key$});\n  }\n",
      "row", QualifiedName(row), "field", ResponseField(file, get), "key", key);
  EmitMethodStart(file, list, out);
  out.Print(
      "    return HandleList<$row$>(\n"
      "        queries_, context, request, response->mutable_$field$(),\n"
      "        response->mutable_next_page_token());\n  }\n",
      "row", QualifiedName(row), "field", ResponseField(file, list));
  EmitWatchMethods(file, read_model, key, out);
  EmitClassEnd("QueryEngine", "queries", "  LongCalls watches_;\n", out);
}

void EmitCommandFactory(const char* traits, const pb::Descriptor& part, pb::io::Printer& out) {
  out.Print(
      "\nstd::unique_ptr<RpcService> $traits$<$part$>::MakeCommandService(CommandHandler& commands) {\n"
      "  return std::make_unique<$service$Rpc>(commands);\n}\n",
      "traits", traits, "part", QualifiedName(part), "service", CommandServiceName(part));
}

void EmitFactories(const Domain& domain, pb::io::Printer& out) {
  for (const Aggregate& aggregate : domain.aggregates) EmitCommandFactory("AggregateOf", *aggregate.message, out);
  for (const Boundary& boundary : domain.boundaries) EmitCommandFactory("BoundaryOf", *boundary.message, out);
  for (const ReadModel& read_model : domain.read_models) {
    out.Print(
        "\nstd::unique_ptr<RpcService> ReadModelTraits<$row$>::MakeQueryService(QueryEngine& queries) {\n"
        "  return std::make_unique<$service$Rpc>(queries);\n}\n",
        "row", QualifiedName(*read_model.message), "service", QueryServiceName(read_model));
  }
}

}  // namespace

void CheckServices(const Domain& domain, const pb::FileDescriptor& api, Problems& problems) {
  const auto check_commands = [&](const auto& part) {
    std::vector<std::string> rpcs;
    for (const Command& command : part.commands) rpcs.push_back(command.message->name());
    CheckService(api, CommandServiceName(*part.message), rpcs, problems);
  };
  for (const Aggregate& aggregate : domain.aggregates) check_commands(aggregate);
  for (const Boundary& boundary : domain.boundaries) check_commands(boundary);
  for (const ReadModel& read_model : domain.read_models) {
    const std::string& row = read_model.message->name();
    CheckService(api, QueryServiceName(read_model),
                 {"Get" + row, "List" + Plural(row), "Watch" + row, "Watch" + Plural(row)}, problems);
  }
}

void EmitServices(const Domain& domain, pb::io::Printer& out) {
  EmitIncludes(domain, out);
  for (const Aggregate& aggregate : domain.aggregates) EmitCommandService(*domain.file, aggregate, out);
  for (const Boundary& boundary : domain.boundaries) EmitCommandService(*domain.file, boundary, out);
  for (const ReadModel& read_model : domain.read_models) EmitQueryService(*domain.file, read_model, out);
  out.Print("}  // namespace\n");
  EmitFactories(domain, out);
  out.Print("\n}  // namespace everfold\n");
}

}  // namespace everfold::codegen
