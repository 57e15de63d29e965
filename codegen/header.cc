#include "codegen/header.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/factories.h"
#include "codegen/names.h"
#include "codegen/options.h"
#include "codegen/read_model.h"

namespace everfold::codegen {
namespace {

// "Types<::wallet::v1::Deposited, ::wallet::v1::Withdrawn>".
template <class Part>
std::string TypesOf(const std::vector<Part>& parts) {
  return absl::StrFormat("Types<%s>", absl::StrJoin(parts, ", ", [](std::string* out, const Part& part) {
                           out->append(QualifiedName(*part.message));
                         }));
}

bool DeclaresDomain(const pb::FileDescriptor& file) {
  const std::vector<const pb::Descriptor*> messages = MessagesOf(file);
  return std::any_of(messages.begin(), messages.end(),
                     [](const pb::Descriptor* message) { return KindOf(*message) != Kind::KIND_NOT_SET; });
}

void EmitIncludes(const pb::FileDescriptor& file, pb::io::Printer& out) {
  out.Print(
      "// Generated from $proto$ by protoc-gen-everfold; do not edit.\n"
      "//\n"
      "// A factory for each message, and what the framework knows about each: see everfold/decide/traits.h and\n"
      "// everfold/projection/read_model.h.\n"
      "#pragma once\n\n"
      "#include <array>\n#include <cstdint>\n#include <map>\n#include <memory>\n#include <optional>\n#include "
      "<string>\n"
      "#include <string_view>\n#include <utility>\n#include <vector>\n\n"
      "#include \"everfold/decide/aggregate_type.h\"\n"
      "#include \"everfold/decide/boundary_type.h\"\n"
      "#include \"everfold/decide/checks.h\"\n"
      "#include \"everfold/projection/projection_type.h\"\n"
      "#include \"everfold/rpc/rpc_service.h\"\n",
      "proto", file.name());
  for (int i = 0; i < file.dependency_count(); ++i) {
    const pb::FileDescriptor& imported = *file.dependency(i);
    if (DeclaresDomain(imported)) out.Print("#include \"$stem$.everfold.h\"\n", "stem", Stem(imported));
  }
  out.Print("#include \"$stem$.pb.h\"\n\n", "stem", Stem(file));
}

void EmitCheck(const Aggregate& aggregate, pb::io::Printer& out) {
  const std::string state = ClassName(*aggregate.message);
  out.Print("  template <class D>\n  static constexpr bool Check() {\n");
  for (const Command& command : aggregate.commands) {
    out.Print(
        "    static_assert(internal::HasDecide<D, $state_type$, $command_type$>,\n"
        "                  \"missing, or with other types: static everfold::Decision<$state$> Decide(\"\n"
        "                  \"const $state$& state, const $command$& command, everfold::Context& context);\");\n",
        "state_type", QualifiedName(*aggregate.message), "command_type", QualifiedName(*command.message), "state",
        state, "command", ClassName(*command.message));
  }
  for (const Event& event : aggregate.events) {
    out.Print(
        "    static_assert(internal::HasEvolve<D, $state_type$, $event_type$>,\n"
        "                  \"missing, or with other types: static void Evolve($state$& state, \"\n"
        "                  \"const $event$& event);\");\n",
        "state_type", QualifiedName(*aggregate.message), "event_type", QualifiedName(*event.message), "state", state,
        "event", ClassName(*event.message));
  }
  for (const Event& event : aggregate.superseded) {
    out.Print(
        "    static_assert(internal::HasUpcast<D, $old_type$, $new_type$>,\n"
        "                  \"missing, or with other types: static $new$ Upcast(const $old$& event);\");\n",
        "old_type", QualifiedName(*event.message), "new_type", QualifiedName(*event.upcast_to), "old",
        ClassName(*event.message), "new", ClassName(*event.upcast_to));
  }
  out.Print("    return true;\n  }\n");
}

void EmitAggregate(const Aggregate& aggregate, pb::io::Printer& out) {
  out.Print(
      "template <>\nstruct AggregateOf<$state$> {\n"
      "  static constexpr char kName[] = \"$name$\";\n"
      "  using Commands = $commands$;\n"
      "  using Events = $events$;\n"
      "  using Superseded = $superseded$;\n"
      "  using Rejections = $rejections$;\n",
      "state", QualifiedName(*aggregate.message), "name", aggregate.name, "commands", TypesOf(aggregate.commands),
      "events", TypesOf(aggregate.events), "superseded", TypesOf(aggregate.superseded), "rejections",
      TypesOf(aggregate.rejections));
  EmitCheck(aggregate, out);
  out.Print("  static std::unique_ptr<RpcService> MakeCommandService(CommandHandler& commands);\n};\n\n");
}

constexpr char kAggregate[] = "Aggregate";
constexpr char kBoundary[] = "Boundary";

// The lines that all traits of a message begin with that belongs to an aggregate or a boundary.
void EmitTraitsStart(const char* traits, const pb::Descriptor& message, const char* kind, const pb::Descriptor& part,
                     pb::io::Printer& out) {
  out.Print(
      "template <>\nstruct $traits$<$message$> {\n"
      "  using $kind$ = $part$;\n"
      "  static constexpr char kName[] = \"$name$\";\n",
      "traits", traits, "message", QualifiedName(message), "kind", kind, "part", QualifiedName(part), "name",
      message.full_name());
}

std::string ExpectEnumerator(v1::Expect expect) {
  switch (expect) {
    case v1::EXPECT_NEW:
      return "kNew";
    case v1::EXPECT_EXISTING:
      return "kExisting";
    default:
      return "kAny";
  }
}

// What a command has, whomever it is for.
void EmitCommandRest(const Command& command, pb::io::Printer& out) {
  out.Print(
      "  static constexpr bool kNeedsRequestId = $needs_request_id$;\n"
      "  static constexpr bool kRecordsOutcomes = $records_outcomes$;\n"
      "  static void Validate(const $command$& command, absl::Time now, Violations& violations);\n};\n\n",
      "needs_request_id", command.needs_request_id ? "true" : "false", "records_outcomes",
      command.records_outcomes ? "true" : "false", "command", QualifiedName(*command.message));
}

void EmitCommand(const Command& command, const pb::Descriptor& aggregate, pb::io::Printer& out) {
  EmitTraitsStart("CommandTraits", *command.message, kAggregate, aggregate, out);
  out.Print(
      "  static constexpr Expect kExpect = Expect::$expect$;\n"
      "  static const std::string& Id(const $command$& command) { return command.$id$(); }\n"
      "  static std::string* MutableId($command$& command) { return command.mutable_$id$(); }\n",
      "expect", ExpectEnumerator(command.expect), "command", QualifiedName(*command.message), "id",
      FieldName(*command.id));
  EmitCommandRest(command, out);
}

void EmitBoundaryCheck(const Boundary& boundary, pb::io::Printer& out) {
  out.Print("  template <class D>\n  static constexpr bool Check() {\n");
  for (const Command& command : boundary.commands) {
    out.Print(
        "    static_assert(internal::HasQuery<D, $command_type$>,\n"
        "                  \"missing, or with another result than a BoundaryQuery: static auto Query(\"\n"
        "                  \"const $command$& command);\");\n"
        "    static_assert(internal::HasBoundaryDecide<D, $boundary_type$,\n"
        "                      typename internal::BoundaryStateOf<D>::type, $command_type$>,\n"
        "                  \"missing, or with other types: static everfold::BoundaryDecision<$boundary$> Decide(\"\n"
        "                  \"const State& state, const $command$& command, everfold::Context& context);\");\n",
        "boundary_type", QualifiedName(*boundary.message), "command_type", QualifiedName(*command.message), "boundary",
        ClassName(*boundary.message), "command", ClassName(*command.message));
  }
  out.Print("    return true;\n  }\n");
}

void EmitBoundary(const Boundary& boundary, pb::io::Printer& out) {
  out.Print(
      "template <>\nstruct BoundaryOf<$message$> {\n"
      "  static constexpr char kName[] = \"$name$\";\n"
      "  using Commands = $commands$;\n"
      "  using Rejections = $rejections$;\n",
      "message", QualifiedName(*boundary.message), "name", boundary.name, "commands", TypesOf(boundary.commands),
      "rejections", TypesOf(boundary.rejections));
  EmitBoundaryCheck(boundary, out);
  out.Print("  static std::unique_ptr<RpcService> MakeCommandService(CommandHandler& commands);\n};\n\n");
}

void EmitBoundaryCommand(const Command& command, const pb::Descriptor& boundary, pb::io::Printer& out) {
  EmitTraitsStart("CommandTraits", *command.message, kBoundary, boundary, out);
  EmitCommandRest(command, out);
}

// The names of its tags, each once.
std::string TagTypesOf(const Event& event) {
  std::vector<std::string> types;
  for (const TagField& tag : event.tags) {
    std::string type = absl::StrFormat("Tag<%s>", CppLiteral(tag.name));
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(std::move(type));
  }
  return absl::StrFormat("Types<%s>", absl::StrJoin(types, ", "));
}

// Names that it had, and what supersedes it.
void EmitEvolution(const Event& event, pb::io::Printer& out) {
  out.Print("  static constexpr std::array<std::string_view, $count$> kWas = {$names$};\n", "count",
            std::to_string(event.was.size()), "names",
            absl::StrJoin(event.was, ", ",
                          [](std::string* list, const std::string& name) { list->append(CppLiteral(name)); }));
  if (event.upcast_to == nullptr) return;
  out.Print(
      "  using UpcastTo = $type$;\n"
      "  static constexpr int kUpcastRevision = $revision$;\n",
      "type", QualifiedName(*event.upcast_to), "revision", std::to_string(event.upcast_revision));
}

void EmitEvent(const Event& event, const pb::Descriptor& aggregate, pb::io::Printer& out) {
  EmitTraitsStart("EventTraits", *event.message, kAggregate, aggregate, out);
  EmitEvolution(event, out);
  out.Print(
      "  static std::string_view Fingerprint();\n"
      "  static std::optional<absl::Time> EventTime(const $type$& event);\n"
      "  using Tags = $tags$;\n"
      "  static void AddTags(const $type$&$add_tags$\n"
      "  template <class P, class Models>\n"
      "  static constexpr bool HasOn() {\n"
      "    constexpr bool exact = internal::HasExactOn<P, $type$, Models>;\n"
      "    static_assert(exact || !internal::HasSomeOn<P, $type$>,\n"
      "                  \"On has other types than these: static void On(const $event$& event, \"\n"
      "                  \"const everfold::EventContext& context, ReadModels& models);\");\n"
      "    return exact;\n"
      "  }\n"
      "};\n\n",
      "type", QualifiedName(*event.message), "event", ClassName(*event.message), "tags", TagTypesOf(event), "add_tags",
      event.tags.empty() ? ", std::vector<std::string>&) {}" : " event, std::vector<std::string>& tags);");
}

void EmitRejection(const Rejection& rejection, const char* kind, const pb::Descriptor& part, pb::io::Printer& out) {
  EmitTraitsStart("RejectionTraits", *rejection.message, kind, part, out);
  out.Print("  static constexpr absl::StatusCode kCode = absl::StatusCode::$code$;\n};\n\n", "code",
            StatusEnumerator(rejection.code));
}

void EmitProcess(const Process& process, pb::io::Printer& out) {
  out.Print(
      "template <>\nstruct ProcessOf<$state$> {\n"
      "  static constexpr char kName[] = \"$name$\";\n"
      "  static const std::string& Id(const $state$& state) { return state.$id$(); }\n"
      "  static std::string* MutableId($state$& state) { return state.mutable_$id$(); }\n"
      "};\n\n",
      "state", QualifiedName(*process.message), "name", process.name, "id", FieldName(*process.id));
}

void EmitTraits(const Domain& domain, pb::io::Printer& out) {
  for (const Aggregate& aggregate : domain.aggregates) {
    EmitAggregate(aggregate, out);
    for (const Command& command : aggregate.commands) EmitCommand(command, *aggregate.message, out);
    for (const Event& event : aggregate.events) EmitEvent(event, *aggregate.message, out);
    for (const Event& event : aggregate.superseded) EmitEvent(event, *aggregate.message, out);
    for (const Rejection& rejection : aggregate.rejections)
      EmitRejection(rejection, kAggregate, *aggregate.message, out);
  }
  for (const Boundary& boundary : domain.boundaries) {
    EmitBoundary(boundary, out);
    for (const Command& command : boundary.commands) EmitBoundaryCommand(command, *boundary.message, out);
    for (const Rejection& rejection : boundary.rejections) EmitRejection(rejection, kBoundary, *boundary.message, out);
  }
  for (const ReadModel& read_model : domain.read_models) EmitReadModelTraits(read_model, out);
  for (const Process& process : domain.processes) EmitProcess(process, out);
}

}  // namespace

void EmitHeader(const Domain& domain, pb::io::Printer& out) {
  EmitIncludes(*domain.file, out);
  const std::string name_space = CppNamespace(*domain.file);
  if (!name_space.empty()) out.Print("namespace $name$ {\n\n", "name", name_space);
  EmitFactoryDeclarations(*domain.file, out);
  if (!name_space.empty()) out.Print("}  // namespace $name$\n\n", "name", name_space);
  out.Print("namespace everfold {\n\nclass CommandHandler;\nclass QueryEngine;\n\n");
  EmitTraits(domain, out);
  out.Print("}  // namespace everfold\n");
}

}  // namespace everfold::codegen
