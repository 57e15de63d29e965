#include "codegen/factories.h"

#include "absl/strings/str_format.h"
#include "codegen/names.h"
#include "codegen/reserved_names.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

bool IsText(const FieldDescriptor& field) { return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING; }

std::string MemberType(const FieldDescriptor& field) {
  if (field.is_map()) {
    const pb::Descriptor& entry = *field.message_type();
    return absl::StrFormat("std::map<%s, %s>", ValueType(*entry.map_key()), ValueType(*entry.map_value()));
  }
  if (field.is_repeated()) return absl::StrFormat("std::vector<%s>", ValueType(field));
  const std::string value = IsText(field) ? "std::string_view" : ValueType(field);
  return field.has_presence() ? absl::StrFormat("std::optional<%s>", value) : value;
}

// The statement that moves a member into the message.
std::string Assign(const FieldDescriptor& field) {
  const std::string name = FieldName(field);
  if (field.is_map()) {
    return absl::StrFormat("message.mutable_%s()->insert(fields.%s.begin(), fields.%s.end());", name, name, name);
  }
  if (field.is_repeated()) {
    return absl::StrFormat("message.mutable_%s()->Add(fields.%s.begin(), fields.%s.end());", name, name, name);
  }
  const std::string value = (field.has_presence() ? "*fields." : "fields.") + name;
  if (field.message_type() != nullptr) {
    return absl::StrFormat("if (fields.%s) *message.mutable_%s() = std::move(%s);", name, name, value);
  }
  const std::string set =
      absl::StrFormat(IsText(field) ? "message.set_%s(std::string(%s));" : "message.set_%s(%s);", name, value);
  return field.has_presence() ? absl::StrFormat("if (fields.%s) %s", name, set) : set;
}

void EmitDeclaration(const pb::Descriptor& message, pb::io::Printer& out) {
  out.Print("struct $fields$ {", "fields", FieldsName(message));
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    out.Print("$start$  $type$ $name${};", "start", "\n", "type", MemberType(field), "name", FieldName(field));
  }
  const bool empty = message.field_count() == 0;
  out.Print("$end$};\n$class$ $factory$($fields$ fields$default$);\n\n", "end", empty ? "" : "\n", "class",
            ClassName(message), "factory", FactoryName(message), "fields", FieldsName(message), "default",
            empty ? " = {}" : "");
}

void EmitDefinition(const pb::Descriptor& message, pb::io::Printer& out) {
  const bool empty = message.field_count() == 0;
  out.Print("$class$ $factory$($fields$$name$) {", "class", ClassName(message), "factory", FactoryName(message),
            "fields", FieldsName(message), "name", empty ? "" : " fields");
  if (empty) return out.Print(" return {}; }\n\n");
  out.Print("\n  $class$ message;\n", "class", ClassName(message));
  for (int i = 0; i < message.field_count(); ++i) out.Print("  $assign$\n", "assign", Assign(*message.field(i)));
  out.Print("  return message;\n}\n\n");
}

}  // namespace

void EmitFactoryDeclarations(const pb::FileDescriptor& file, pb::io::Printer& out) {
  out.Print(
      "// A message from its named fields; what is not named stays unset. Texts are copied, and of a oneof the last\n"
      "// member that is given counts.\n\n");
  for (const pb::Descriptor* message : MessagesOf(file)) {
    if (HasFactory(*message)) {
      EmitDeclaration(*message, out);
    } else {
      out.Print("// There is no factory for $message$: $factory$ is a message.\n\n", "message", ClassName(*message),
                "factory", FactoryName(*message));
    }
  }
}

void EmitFactoryDefinitions(const pb::FileDescriptor& file, pb::io::Printer& out) {
  for (const pb::Descriptor* message : MessagesOf(file)) {
    if (HasFactory(*message)) EmitDefinition(*message, out);
  }
}

}  // namespace everfold::codegen
