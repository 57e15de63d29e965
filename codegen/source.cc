#include "codegen/source.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "codegen/factories.h"
#include "codegen/names.h"
#include "codegen/read_model.h"
#include "codegen/rule.h"
#include "codegen/validators.h"
#include "everfold/event/fingerprint.h"

namespace everfold::codegen {
namespace {

bool HasDeprecatedFields(const pb::Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    if (message.field(i)->options().deprecated()) return true;
  }
  return message.options().deprecated();
}

// Compilers warn of deprecated fields, which are carried as any other until they are removed.
void AllowDeprecatedFields(const Domain& domain, pb::io::Printer& out) {
  std::vector<const pb::Descriptor*> messages = MessagesInCommands(domain);
  for (const pb::Descriptor* message : MessagesOf(*domain.file)) messages.push_back(message);
  if (std::none_of(messages.begin(), messages.end(), [](auto* message) { return HasDeprecatedFields(*message); }))
    return;
  out.Print("#pragma GCC diagnostic ignored \"-Wdeprecated-declarations\"\n\n");
}

void EmitIncludes(const pb::FileDescriptor& file, pb::io::Printer& out) {
  out.Print(
      "// Generated from $proto$ by protoc-gen-everfold; do not edit.\n"
      "#include \"$stem$.everfold.h\"\n\n"
      "#include <cmath>\n\n"
      "#include \"absl/time/time.h\"\n"
      "#include \"everfold/base/duration.h\"\n"
      "#include \"everfold/base/enum_text.h\"\n"
      "#include \"everfold/base/timestamp.h\"\n"
      "#include \"everfold/decide/field_rules.h\"\n"
      "#include \"everfold/projection/column_values.h\"\n\n",
      "proto", file.name(), "stem", Stem(file));
}

// The bytes as a string literal of hexadecimal escapes, in lines of `per_line`.
std::string HexLiteral(const std::string& bytes, std::size_t per_line) {
  std::string literal;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % per_line == 0) literal += i == 0 ? "      \"" : "\"\n      \"";
    absl::StrAppendFormat(&literal, "\\x%02x", static_cast<unsigned char>(bytes[i]));
  }
  return literal + "\"";
}

// The fields' values, as tags.
void EmitAddTags(const Event& event, pb::io::Printer& out) {
  if (event.tags.empty()) return;
  out.Print(
      "\nvoid EventTraits<$event$>::AddTags(\n"
      "    const $event$& event, std::vector<std::string>& tags) {\n",
      "event", QualifiedName(*event.message));
  for (const TagField& tag : event.tags) {
    const char* const line =
        tag.field->is_repeated()    ? "  for (const auto& value : event.$field$()) AddTag(tags, $tag$(value).text());\n"
        : tag.field->has_presence() ? "  if (event.has_$field$()) AddTag(tags, $tag$(event.$field$()).text());\n"
                                    : "  AddTag(tags, $tag$(event.$field$()).text());\n";
    out.Print(line, "field", FieldName(*tag.field), "tag", absl::StrFormat("Tag<%s>", CppLiteral(tag.name)));
  }
  out.Print("}\n");
}

void EmitEvent(const Event& event, pb::io::Printer& out) {
  out.Print(
      "\nstd::string_view EventTraits<$event$>::Fingerprint() {\n"
      "  static constexpr char kBytes[] =\n$bytes$;\n"
      "  return {kBytes, sizeof(kBytes) - 1};\n"
      "}\n",
      "event", QualifiedName(*event.message), "bytes", HexLiteral(FingerprintOf(*event.message), 16));
  EmitAddTags(event, out);
  if (event.time == nullptr) {
    out.Print(
        "\nstd::optional<absl::Time> EventTraits<$event$>::EventTime(\n"
        "    const $event$&) {\n"
        "  return std::nullopt;\n"
        "}\n",
        "event", QualifiedName(*event.message));
    return;
  }
  out.Print(
      "\nstd::optional<absl::Time> EventTraits<$event$>::EventTime(\n"
      "    const $event$& event) {\n"
      "  if (!event.has_$time$()) return std::nullopt;\n"
      "  return TimeOf(event.$time$());\n"
      "}\n",
      "event", QualifiedName(*event.message), "time", FieldName(*event.time));
}

}  // namespace

void EmitSource(const Domain& domain, pb::io::Printer& out) {
  EmitIncludes(*domain.file, out);
  AllowDeprecatedFields(domain, out);
  const std::string name_space = CppNamespace(*domain.file);
  if (!name_space.empty()) out.Print("namespace $name$ {\n\n", "name", name_space);
  EmitFactoryDefinitions(*domain.file, out);
  if (!name_space.empty()) out.Print("}  // namespace $name$\n\n", "name", name_space);
  out.Print("namespace everfold {\n");
  EmitChecks(domain, out);
  for (const Command* command : CommandsOf(domain)) EmitValidate(*command, out);
  for (const Aggregate& aggregate : domain.aggregates) {
    for (const Event& event : aggregate.events) EmitEvent(event, out);
    for (const Event& event : aggregate.superseded) EmitEvent(event, out);
  }
  for (const ReadModel& read_model : domain.read_models) EmitReadModelDefinitions(read_model, out);
  out.Print("\n}  // namespace everfold\n");
}

}  // namespace everfold::codegen
