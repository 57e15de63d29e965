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

void EmitValueRules(const FieldDescriptor& field, const FieldChecks& checks, const std::string& get,
                    const std::string& path, pb::io::Printer& out) {
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  out.Print("const auto$reference$ value = $get$;\n", "reference", text ? "&" : "", "get", get);
  for (const Rule& rule : checks.value_rules) EmitRule(rule, path, out);
}

void EmitNested(const std::string& get, const std::string& scope, pb::io::Printer& out) {
  out.Print(
      "const Violations::Scope scope(violations, $scope$);\n"
      "CheckFields($get$, violations);\n",
      "scope", scope, "get", get);
}

void EmitItems(const FieldDescriptor& field, const FieldChecks& checks, pb::io::Printer& out) {
  if (checks.type == nullptr && checks.value_rules.empty()) return;
  const std::string name = field.name();
  const std::string item = absl::StrFormat("message.%s(i)", FieldName(field));
  out.Print("for (int i = 0; i < message.$name$_size(); ++i) {\n", "name", FieldName(field));
  out.Indent();
  if (checks.type != nullptr) {
    EmitNested(item, absl::StrFormat("\"%s\", static_cast<std::size_t>(i)", name), out);
  } else {
    EmitValueRules(field, checks, item, absl::StrFormat("ItemOf(\"%s\", i)", name), out);
  }
  out.Outdent();
  out.Print("}\n");
}

void EmitEntries(const FieldDescriptor& field, pb::io::Printer& out) {
  out.Print("for (const auto& [key, entry] : $get$) {\n", "get", Get(field));
  out.Indent();
  EmitNested("entry", absl::StrFormat("EntryOf(\"%s\", key)", field.name()), out);
  out.Outdent();
  out.Print("}\n");
}

// What is checked on a field that is there.
void EmitPresent(const FieldDescriptor& field, const FieldChecks& checks, pb::io::Printer& out) {
  if (field.is_map()) return EmitEntries(field, out);
  if (field.is_repeated()) {
    if (!checks.count_rules.empty()) out.Print("const int count = message.$name$_size();\n", "name", FieldName(field));
    for (const Rule& rule : checks.count_rules) EmitRule(rule, "\"" + field.name() + "\"", out);
    return EmitItems(field, checks, out);
  }
  if (checks.type != nullptr) return EmitNested(Get(field), "\"" + field.name() + "\"", out);
  EmitValueRules(field, checks, Get(field), "\"" + field.name() + "\"", out);
}

// What goes before the block of what is checked on a field that is there; "" if it needs none, as a loop alone.
std::string BlockStart(const FieldDescriptor& field, const FieldChecks& checks) {
  if (checks.required) return "else {";
  if (field.has_presence()) return absl::StrFormat("if (message.has_%s()) {", FieldName(field));
  return field.is_repeated() && checks.count_rules.empty() ? "" : "{";
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
    out.Print("void CheckFields(const $type$& message, Violations& violations);\n", "type", QualifiedName(*type));
  }
  for (const pb::Descriptor* type : checked) {
    out.Print("\nvoid CheckFields(const $type$& message, Violations& violations) {\n", "type", QualifiedName(*type));
    out.Indent();
    for (int i = 0; i < type->field_count(); ++i) EmitField(*type->field(i), out);
    out.Outdent();
    out.Print("}\n");
  }
  out.Print("\n}  // namespace\n");
}

void EmitValidate(const Command& command, pb::io::Printer& out) {
  const bool checked = HasChecks(*command.message);
  out.Print(
      "\nvoid CommandTraits<$command$>::Validate(\n"
      "    const $command$&$name$, Violations&$list$) {$body$}\n",
      "command", QualifiedName(*command.message), "name", checked ? " command" : "", "list",
      checked ? " violations" : "", "body", checked ? "\n  CheckFields(command, violations);\n" : "");
}

}  // namespace everfold::codegen
