#include "codegen/api_proto.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "codegen/columns.h"
#include "codegen/names.h"
#include "codegen/reserved_names.h"

namespace everfold::codegen {
namespace {

// A name of everfold's own package, as the file can write it.
std::string Everfold(const pb::FileDescriptor& file, const std::string& name) {
  return ProtoName("everfold.v1." + name, "everfold.v1", file.package());
}

// What the author wrote above the message, as comment lines; else a line with `otherwise`.
void EmitComment(const pb::Descriptor& message, const std::string& otherwise, pb::io::Printer& out) {
  pb::SourceLocation location;
  const bool known = message.GetSourceLocation(&location);
  const std::string text(absl::StripAsciiWhitespace(known ? location.leading_comments : ""));
  for (const absl::string_view line : absl::StrSplit(text.empty() ? otherwise : text, '\n')) {
    out.Print("  // $line$\n", "line", std::string(absl::StripAsciiWhitespace(line)));
  }
}

// The types of a query's request: what the key's enums are called, and where they are declared.
std::string TypeName(const pb::FieldDescriptor& field) {
  if (field.enum_type() == nullptr) return field.type_name();
  return ProtoName(field.enum_type()->full_name(), field.enum_type()->file()->package(), field.file()->package());
}

std::set<std::string> Imports(const Domain& domain) {
  std::set<std::string> imports = {"everfold/v1/options.proto", domain.file->name()};
  if (!CommandsOf(domain).empty()) imports.insert("everfold/v1/receipt.proto");
  for (const ReadModel& read_model : domain.read_models) {
    for (const pb::FieldDescriptor* field : read_model.key) {
      if (field->enum_type() != nullptr) imports.insert(field->enum_type()->file()->name());
    }
  }
  return imports;
}

// Options that all files of a package have in common, or its code in other languages falls apart.
void EmitLanguageOptions(const pb::FileDescriptor& file, pb::io::Printer& out) {
  const pb::FileOptions& options = file.options();
  const std::map<std::string, std::string> texts = {
      {"csharp_namespace", options.csharp_namespace()}, {"go_package", options.go_package()},
      {"java_package", options.java_package()},         {"objc_class_prefix", options.objc_class_prefix()},
      {"php_class_prefix", options.php_class_prefix()}, {"php_metadata_namespace", options.php_metadata_namespace()},
      {"php_namespace", options.php_namespace()},       {"ruby_package", options.ruby_package()},
      {"swift_prefix", options.swift_prefix()},
  };
  std::map<std::string, std::string> values;
  for (const auto& [name, text] : texts) {
    if (!text.empty()) values[name] = CppLiteral(text);
  }
  if (options.has_java_multiple_files()) {
    values["java_multiple_files"] = options.java_multiple_files() ? "true" : "false";
  }
  if (!values.empty()) out.Print("\n");
  for (const auto& [name, value] : values) out.Print("option $name$ = $value$;\n", "name", name, "value", value);
}

void EmitStart(const Domain& domain, pb::io::Printer& out) {
  const pb::FileDescriptor& file = *domain.file;
  out.Print(
      "// Generated from $proto$ by protoc-gen-everfold; do not edit.\n"
      "//\n"
      "// The services of the domain that $base$ declares. Every error is a google.rpc.Status whose details tell\n"
      "// more: google.rpc.ErrorInfo with a stable reason, and what google/rpc/error_details.proto has for its kind.\n"
      "syntax = \"proto3\";\n\n",
      "proto", file.name(), "base", BaseName(file));
  if (!file.package().empty()) out.Print("package $package$;\n\n", "package", file.package());
  for (const std::string& import : Imports(domain)) out.Print("import \"$import$\";\n", "import", import);
  EmitLanguageOptions(file, out);
}

void EmitServiceStart(const pb::FileDescriptor& file, const std::string& service, const char* part,
                      const pb::Descriptor& message, pb::io::Printer& out) {
  out.Print("service $service$ {\n  option ($option$).$part$ = \"$message$\";\n", "service", service, "option",
            Everfold(file, "service"), "part", part, "message", message.full_name());
}

void EmitRpc(const std::string& rpc, pb::io::Printer& out) {
  out.Print("  rpc $rpc$($rpc$Request) returns ($rpc$Response);\n", "rpc", rpc);
}

void EmitWatchRpc(const std::string& rpc, pb::io::Printer& out) {
  out.Print("  rpc $rpc$($rpc$Request) returns (stream $rpc$Response);\n", "rpc", rpc);
}

// Commands ----------------------------------------------------------------------------------------------------------

std::string ExpectText(const Command& command, const std::string& aggregate) {
  switch (command.expect) {
    case v1::EXPECT_NEW:
      return absl::StrFormat("Creates the %s; ALREADY_EXISTS if it is there.", aggregate);
    case v1::EXPECT_EXISTING:
      return absl::StrFormat("Needs an existing %s; NOT_FOUND if there is none.", aggregate);
    default:
      return absl::StrFormat("The %s may exist or not.", aggregate);
  }
}

// The comment on a service of commands, and its beginning.
void EmitCommandServiceStart(const pb::FileDescriptor& file, const pb::Descriptor& part,
                             const std::vector<Rejection>& rejections, pb::io::Printer& out) {
  const std::string names = absl::StrJoin(rejections, ", ", [](std::string* text, const Rejection& rejection) {
    absl::StrAppendFormat(text, "%s (%s)", rejection.message->name(), rejection.code);
  });
  out.Print(
      "\n// Commands of $part$. The answer comes when the command's events are on disk. Fields that break a rule\n"
      "// are refused with INVALID_ARGUMENT and google.rpc.BadRequest, which lists them all.\n",
      "part", part.name());
  if (!names.empty()) {
    out.Print("// Business rules say no with one of these messages in the status details:\n// $names$.\n", "names",
              names);
  }
  EmitServiceStart(file, CommandServiceName(part), "commands_of", part, out);
}

void EmitCommandService(const pb::FileDescriptor& file, const Aggregate& aggregate, pb::io::Printer& out) {
  EmitCommandServiceStart(file, *aggregate.message, aggregate.rejections, out);
  for (const Command& command : aggregate.commands) {
    out.Print("\n");
    EmitComment(*command.message,
                absl::StrFormat("Gives %s to one %s.", command.message->name(), aggregate.message->name()), out);
    out.Print("  // $expect$\n", "expect", ExpectText(command, aggregate.message->name()));
    EmitRpc(command.message->name(), out);
  }
  out.Print("}\n");
}

void EmitCommandService(const pb::FileDescriptor& file, const Boundary& boundary, pb::io::Printer& out) {
  EmitCommandServiceStart(file, *boundary.message, boundary.rejections, out);
  for (const Command& command : boundary.commands) {
    out.Print("\n");
    EmitComment(*command.message, absl::StrFormat("Gives %s to %s.", command.message->name(), boundary.message->name()),
                out);
    EmitRpc(command.message->name(), out);
  }
  out.Print("}\n");
}

void EmitCommandMessages(const pb::FileDescriptor& file, const Command& command, pb::io::Printer& out) {
  out.Print(
      "\n// Asks for $command$.\n"
      "message $command$Request {\n"
      "  // What is to be done.\n"
      "  $command$ command = 1;\n"
      "  // Makes a retry safe: a request with an id that is known gets the first answer again. Best a UUID.$needed$\n"
      "  // It counts for $command$ alone: with another command the same id is another one.\n"
      "  string request_id = 2;\n",
      "command", command.message->name(), "needed", command.needs_request_id ? " Needed." : "");
  if (command.id != nullptr) {
    out.Print(
        "  // Done only if this is the version of the stream, else ABORTED; 0: the stream must not exist.\n"
        "  optional uint64 expected_version = 3;\n");
  }
  out.Print(
      "}\n\n"
      "// $command$ was accepted, and its events are durable.\n"
      "message $command$Response {\n"
      "  // Where the events are, and the token for queries that are to see them.\n"
      "  $receipt$ receipt = 1;\n"
      "}\n",
      "command", command.message->name(), "receipt", Everfold(file, "CommandReceipt"));
}

// Queries -----------------------------------------------------------------------------------------------------------

constexpr char kTokenComment[] =
    "  // Of a receipt: the answer includes that command, or is UNAVAILABLE if it takes too long. May be empty.\n";

void EmitQueryService(const pb::FileDescriptor& file, const ReadModel& read_model, pb::io::Printer& out) {
  const std::string& row = read_model.message->name();
  const std::string key = absl::StrJoin(
      read_model.key, ", ", [](std::string* text, const pb::FieldDescriptor* field) { text->append(field->name()); });
  out.Print("\n// Queries of the read model $row$.\n", "row", row);
  EmitServiceStart(file, QueryServiceName(read_model), "queries_of", *read_model.message, out);
  out.Print("\n  // The $row$ of one $key$; NOT_FOUND if there is none.\n", "row", row, "key", key);
  EmitRpc("Get" + row, out);
  out.Print("\n  // Every $row$, or those of a filter, in the order of $key$ or another one, page by page.\n", "row",
            row, "key", key);
  EmitRpc("List" + Plural(row), out);
  out.Print(
      "\n  // Like Get, and again whenever the $row$ has changed; without a row where there is none. Ends when the "
      "caller\n"
      "  // or the server ends it. Who reads slowly gets the latest, not all that were.\n",
      "row", row);
  EmitWatchRpc("Watch" + row, out);
  out.Print("\n  // The first page of a list as it is, and again as a whole whenever something in it has changed.\n");
  EmitWatchRpc("Watch" + Plural(row), out);
  out.Print("}\n");
}

void EmitKeyFields(const ReadModel& read_model, pb::io::Printer& out) {
  int number = 0;
  for (const pb::FieldDescriptor* field : read_model.key) {
    out.Print("  // Key of the row.\n  $type$ $name$ = $number$;\n", "type", TypeName(*field), "name", field->name(),
              "number", absl::StrFormat("%d", ++number));
  }
  out.Print(kTokenComment);
  out.Print("  string $token$ = $number$;\n}\n", "token", kConsistencyTokenField, "number",
            absl::StrFormat("%d", ++number));
}

void EmitGetMessages(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string& row = read_model.message->name();
  out.Print("\n// Asks for one $row$.\nmessage Get$row$Request {\n", "row", row);
  EmitKeyFields(read_model, out);
  out.Print(
      "\n// One $row$.\n"
      "message Get$row$Response {\n"
      "  // The row.\n"
      "  $row$ $field$ = 1;\n"
      "}\n",
      "row", row, "field", SnakeCase(row));
}

// The fields that a list filters and orders by: "order_id, total.currency, total.minor".
std::string DeclaredFields(const ReadModel& read_model) {
  std::vector<std::string> fields;
  const auto add = [&fields](const std::string& field) {
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
  };
  for (const pb::FieldDescriptor* field : read_model.key) add(field->name());
  for (const Index& index : read_model.indexes) {
    for (const std::size_t column : index.columns) add(FieldPath(read_model.columns[column]));
  }
  return absl::StrJoin(fields, ", ");
}

// A value of the field as a filter writes it.
std::string ExampleOf(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return "\"...\"";
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return field.enum_type()->value(field.enum_type()->value_count() - 1)->name();
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return "true";
    default:
      return "7";
  }
}

void EmitFilterFields(const ReadModel& read_model, pb::io::Printer& out) {
  out.Print(
      "  // Which rows: conditions such as `$field_name$ = $value$`, joined by AND. Fields that it may name:\n"
      "  // $declared$. Empty: all.\n"
      "  string filter = 4;\n"
      "  // In which order: fields as in filter, each with `desc` behind it or not, joined by commas. Empty: that of "
      "the\n"
      "  // key.\n"
      "  string order_by = 5;\n",
      "field_name", read_model.key.front()->name(), "value", ExampleOf(*read_model.key.front()), "declared",
      DeclaredFields(read_model));
}

void EmitListMessages(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string& row = read_model.message->name();
  const std::string rows = Plural(row);
  out.Print(
      "\n// Asks for a page of $rows$.\n"
      "message List$rows$Request {\n"
      "  // The most rows to answer with; 0: 100. More than 1000 are not given.\n"
      "  int32 page_size = 1;\n"
      "  // next_page_token of the page before; empty for the first page.\n"
      "  string page_token = 2;\n",
      "rows", rows);
  out.Print(kTokenComment);
  out.Print("  string $token$ = 3;\n", "token", kConsistencyTokenField);
  EmitFilterFields(read_model, out);
  out.Print(
      "}\n\n"
      "// A page of $rows$.\n"
      "message List$rows$Response {\n"
      "  // The rows, in the order that was asked for.\n"
      "  repeated $row$ $field$ = 1;\n"
      "  // For the next page; empty after the last one.\n"
      "  string next_page_token = 2;\n"
      "}\n",
      "rows", rows, "row", row, "field", SnakeCase(rows));
}

void EmitWatchMessages(const ReadModel& read_model, pb::io::Printer& out) {
  const std::string& row = read_model.message->name();
  const std::string rows = Plural(row);
  out.Print("\n// Watches one $row$.\nmessage Watch$row$Request {\n", "row", row);
  EmitKeyFields(read_model, out);
  out.Print(
      "\n// One $row$ as it is now.\n"
      "message Watch$row$Response {\n"
      "  // The row; not set if there is none.\n"
      "  $row$ $field$ = 1;\n"
      "}\n"
      "\n// Watches the first page of a list of $rows$.\n"
      "message Watch$rows$Request {\n"
      "  // As in List$rows$Request, and so are the others.\n"
      "  int32 page_size = 1;\n",
      "row", row, "rows", rows, "field", SnakeCase(row));
  out.Print(kTokenComment);
  out.Print("  string $token$ = 3;\n", "token", kConsistencyTokenField);
  EmitFilterFields(read_model, out);
  out.Print(
      "}\n"
      "\n// The first page of the list as it is now.\n"
      "message Watch$rows$Response {\n"
      "  // The rows, in the order that was asked for.\n"
      "  repeated $row$ $field$ = 1;\n"
      "  // There are rows behind them.\n"
      "  bool more = 2;\n"
      "}\n",
      "row", row, "rows", rows, "field", SnakeCase(rows));
}

}  // namespace

void EmitApiProto(const Domain& domain, pb::io::Printer& out) {
  const pb::FileDescriptor& file = *domain.file;
  EmitStart(domain, out);
  for (const Aggregate& aggregate : domain.aggregates) {
    EmitCommandService(file, aggregate, out);
    for (const Command& command : aggregate.commands) EmitCommandMessages(file, command, out);
  }
  for (const Boundary& boundary : domain.boundaries) {
    EmitCommandService(file, boundary, out);
    for (const Command& command : boundary.commands) EmitCommandMessages(file, command, out);
  }
  for (const ReadModel& read_model : domain.read_models) {
    EmitQueryService(file, read_model, out);
    EmitGetMessages(read_model, out);
    EmitListMessages(read_model, out);
    EmitWatchMessages(read_model, out);
  }
}

}  // namespace everfold::codegen
