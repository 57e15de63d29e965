#include "codegen/validators.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "codegen/names.h"
#include "codegen/rule.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

// "message.amount_minor()"
std::string Get(const FieldDescriptor& field) { return absl::StrFormat("message.%s()", FieldName(field)); }

// A C++ expression, true if the field is not set or, without presence, is zero.
std::string Unset(const FieldDescriptor& field) {
  if (field.has_presence()) return absl::StrFormat("!message.has_%s()", FieldName(field));
  const bool sized = field.is_repeated() || field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (sized) return Get(field) + ".empty()";
  return field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL ? "!" + Get(field) : Get(field) + " == 0";
}

// `path` is a C++ expression.
void EmitRule(const Rule& rule, const std::string& path, pb::io::Printer& out) {
  if (!rule.setup.empty()) out.Print("$setup$\n", "setup", rule.setup);
  const bool call = rule.condition.find(' ') == std::string::npos;
  out.Print(
      "if (!$condition$) {\n"
      "  violations.Add($path$, \"$id$\",\n"
      "                 $description$$met$);\n"
      "}\n",
      "condition", call ? rule.condition : "(" + rule.condition + ")", "path", path, "id", rule.id, "description",
      CppLiteral(rule.description), "met", rule.met.empty() ? "" : " + " + rule.met);
}

// How the value, given as `get`, is declared for its rules: without a copy, and in the type that they compare.
std::string ValueDeclaration(const FieldDescriptor& field, const std::string& get) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrFormat("const auto& value = %s;", get);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const bool time = field.message_type()->full_name() == "google.protobuf.Timestamp";
      return absl::StrFormat("const auto value = %s(%s);", time ? "TimeOf" : "DurationOf", get);
    }
    default:
      return absl::StrFormat("const auto value = %s;", get);
  }
}

// `field` has the value's type. `path` is a C++ expression.
void EmitValueRules(const FieldDescriptor& field, const std::vector<Rule>& rules, const std::string& get,
                    const std::string& path, pb::io::Printer& out) {
  out.Print("$declaration$\n", "declaration", ValueDeclaration(field, get));
  for (const Rule& rule : rules) EmitRule(rule, path, out);
}

void EmitNested(const std::string& get, const std::string& scope, pb::io::Printer& out) {
  out.Print(
      "const Violations::Scope scope(violations, $scope$);\n"
      "CheckFields($get$, now, violations);\n",
      "scope", scope, "get", get);
}

void EmitItems(const FieldDescriptor& field, const FieldChecks& checks, pb::io::Printer& out) {
  const std::string name = field.name();
  const std::string item = absl::StrFormat("message.%s(i)", FieldName(field));
  out.Print("for (int i = 0; i < message.$name$_size(); ++i) {\n", "name", FieldName(field));
  out.Indent();
  if (checks.type != nullptr) {
    EmitNested(item, absl::StrFormat("\"%s\", static_cast<std::size_t>(i)", name), out);
  } else {
    EmitValueRules(field, checks.value_rules, item, absl::StrFormat("ItemOf(\"%s\", i)", name), out);
  }
  out.Outdent();
  out.Print("}\n");
}

void EmitEntries(const FieldDescriptor& field, const FieldChecks& checks, pb::io::Printer& out) {
  const std::string path = absl::StrFormat("EntryOf(\"%s\", key)", field.name());
  out.Print("for (const auto& [key, entry] : $get$) {\n", "get", Get(field));
  out.Indent();
  if (!checks.key_rules.empty()) {
    out.Print("{\n");
    out.Indent();
    EmitValueRules(*field.message_type()->map_key(), checks.key_rules, "key", path, out);
    out.Outdent();
    out.Print("}\n");
  }
  if (checks.type != nullptr) {
    EmitNested("entry", path, out);
  } else if (!checks.value_rules.empty()) {
    EmitValueRules(*field.message_type()->map_value(), checks.value_rules, "entry", path, out);
  }
  out.Outdent();
  out.Print("}\n");
}

// What is checked on a field that is there.
void EmitPresent(const FieldDescriptor& field, const FieldChecks& checks, pb::io::Printer& out) {
  const std::string path = "\"" + field.name() + "\"";
  if (field.is_repeated()) {
    for (const Rule& rule : checks.whole_rules) EmitRule(rule, path, out);
    if (!checks.HasParts()) return;
    return field.is_map() ? EmitEntries(field, checks, out) : EmitItems(field, checks, out);
  }
  if (checks.type != nullptr) return EmitNested(Get(field), path, out);
  EmitValueRules(field, checks.value_rules, Get(field), path, out);
}

// What goes before the block of what is checked on a field that is there; "" if it needs none, as a loop alone.
std::string BlockStart(const FieldDescriptor& field, const FieldChecks& checks) {
  if (checks.required) return "else {";
  if (field.has_presence()) return absl::StrFormat("if (message.has_%s()) {", FieldName(field));
  return field.is_repeated() && checks.whole_rules.empty() ? "" : "{";
}

void EmitField(const FieldDescriptor& field, pb::io::Printer& out) {
  const FieldChecks checks = ChecksOf(field);
  if (checks.required) {
    out.Print("if ($unset$) {\n  violations.Add(\"$name$\", \"required\", \"must be set\");\n}", "unset", Unset(field),
              "name", field.name());
    out.Print(checks.HasMore() ? " " : "\n");
  }
  if (!checks.HasMore()) return;
  const std::string start = BlockStart(field, checks);
  if (start.empty()) return EmitPresent(field, checks, out);
  out.Print("$start$\n", "start", start);
  out.Indent();
  EmitPresent(field, checks, out);
  out.Outdent();
  out.Print("}\n");
}

void EmitOneof(const pb::OneofDescriptor& oneof, pb::io::Printer& out) {
  if (!IsRequired(oneof)) return;
  out.Print(
      "if (message.$name$_case() == 0) {\n"
      "  violations.Add(\"$name$\", \"required\", \"must have one of its fields set\");\n"
      "}\n",
      "name", oneof.name());
}

// The time's name in a list of parameters; left out where nothing reads it, or compilers warn.
std::string NowOf(const pb::Descriptor& message) {
  bool read = UsesNow(message);
  for (int i = 0; i < message.field_count(); ++i) read = read || ChecksOf(*message.field(i)).type != nullptr;
  return read ? " now" : "";
}

void EmitCheckFields(const pb::Descriptor& message, pb::io::Printer& out) {
  out.Print("\nvoid CheckFields(const $type$& message, absl::Time$now$, Violations& violations) {\n", "type",
            QualifiedName(message), "now", NowOf(message));
  out.Indent();
  for (int i = 0; i < message.field_count(); ++i) EmitField(*message.field(i), out);
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) EmitOneof(*message.oneof_decl(i), out);
  out.Outdent();
  out.Print("}\n");
}

}  // namespace

bool HasValidators(const Domain& domain) {
  const auto commands = MessagesInCommands(domain);
  return std::any_of(commands.begin(), commands.end(), [](const pb::Descriptor* type) { return HasChecks(*type); });
}

void EmitChecks(const Domain& domain, pb::io::Printer& out) {
  if (!HasValidators(domain)) return;
  std::vector<const pb::Descriptor*> checked;
  for (const pb::Descriptor* type : MessagesInCommands(domain)) {
    if (HasChecks(*type)) checked.push_back(type);
  }
  out.Print("namespace {\n\n");
  for (const pb::Descriptor* type : checked) {
    out.Print("void CheckFields(const $type$& message, absl::Time now, Violations& violations);\n", "type",
              QualifiedName(*type));
  }
  for (const pb::Descriptor* type : checked) EmitCheckFields(*type, out);
  out.Print("\n}  // namespace\n");
}

void EmitValidate(const Command& command, pb::io::Printer& out) {
  if (HasChecks(*command.message)) {
    out.Print(
        "\nvoid CommandTraits<$command$>::Validate(\n"
        "    const $command$& command, absl::Time now, Violations& violations) {\n"
        "  CheckFields(command, now, violations);\n"
        "}\n",
        "command", QualifiedName(*command.message));
    return;
  }
  out.Print(
      "\nvoid CommandTraits<$command$>::Validate(\n"
      "    const $command$&, absl::Time, Violations&) {}\n",
      "command", QualifiedName(*command.message));
}

}  // namespace everfold::codegen
