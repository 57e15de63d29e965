#include "codegen/options.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace everfold::codegen {
namespace {

const v1::FieldOptions& OptionsOf(const pb::FieldDescriptor& field) { return field.options().GetExtension(v1::field); }

std::vector<const pb::FieldDescriptor*> MarkedFields(const pb::Descriptor& message,
                                                     bool (v1::FieldOptions::*mark)() const) {
  std::vector<const pb::FieldDescriptor*> marked;
  for (int i = 0; i < message.field_count(); ++i) {
    if ((OptionsOf(*message.field(i)).*mark)()) marked.push_back(message.field(i));
  }
  return marked;
}

constexpr std::size_t kMaxTagsPerEvent = 20;  // as everfold/store/append.h

bool CanBeTag(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
    case pb::FieldDescriptor::CPPTYPE_INT64:
    case pb::FieldDescriptor::CPPTYPE_UINT32:
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return true;
    default:
      return field.type() == pb::FieldDescriptor::TYPE_STRING;
  }
}

void CheckFieldOptions(const pb::FieldDescriptor& field, Kind kind, Problems& problems) {
  const v1::FieldOptions& options = OptionsOf(field);
  if (options.id() && kind != Kind::kAggregate && kind != Kind::kCommand && kind != Kind::kProcess) {
    problems.Add(field, absl::StrFormat("%s is marked id, but %s is %s; ids are marked in aggregates, commands and "
                                        "processes only",
                                        field.name(), field.containing_type()->name(), Article(kind)));
  }
  if (options.event_time() && kind != Kind::kEvent) {
    problems.Add(field, absl::StrFormat("%s is marked event_time, but %s is %s; remove the mark, or mark a field of "
                                        "an event",
                                        field.name(), field.containing_type()->name(), Article(kind)));
  }
  if ((options.tag() || !options.tag_name().empty()) && kind != Kind::kEvent) {
    problems.Add(field, absl::StrFormat("%s is marked tag, but %s is %s; tags are marked in events only", field.name(),
                                        field.containing_type()->name(), Article(kind)));
  }
  if (options.has_rules() && kind != Kind::kCommand && kind != Kind::KIND_NOT_SET) {
    problems.Add(field, absl::StrFormat("%s has rules, but %s is %s, which is never checked; put rules on the fields "
                                        "of commands and of the values in them",
                                        field.name(), field.containing_type()->name(), Article(kind)));
  }
}

void CheckOneofOptions(const pb::OneofDescriptor& oneof, Kind kind, Problems& problems) {
  if (!oneof.options().HasExtension(v1::oneof) || kind == Kind::kCommand || kind == Kind::KIND_NOT_SET) return;
  problems.Add(oneof, absl::StrFormat("%s has a rule, but %s is %s, which is never checked; put rules on commands and "
                                      "on the values in them",
                                      oneof.name(), oneof.containing_type()->name(), Article(kind)));
}

}  // namespace

Kind KindOf(const pb::Descriptor& message) { return message.options().GetExtension(v1::message).kind_case(); }

bool IsPartName(const std::string& name) {
  if (name.empty() || name.size() > kMaxPartNameBytes || !absl::ascii_islower(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_'; });
}

std::string Article(Kind kind) {
  switch (kind) {
    case Kind::kAggregate:
      return "an aggregate";
    case Kind::kCommand:
      return "a command";
    case Kind::kEvent:
      return "an event";
    case Kind::kRejection:
      return "a rejection";
    case Kind::kReadModel:
      return "a read model";
    case Kind::kBoundary:
      return "a boundary";
    case Kind::kProcess:
      return "a process";
    case Kind::KIND_NOT_SET:
      return "a plain value";
  }
  return "";
}

void CheckOptions(const pb::Descriptor& message, Problems& problems) {
  const Kind kind = KindOf(message);
  if (kind == Kind::KIND_NOT_SET && message.options().HasExtension(v1::message)) {
    problems.Add(message, absl::StrFormat("the option of %s names no kind; write for example "
                                          "`option (everfold.v1.message).event = {};`",
                                          message.name()));
  }
  if (kind != Kind::KIND_NOT_SET && message.containing_type() != nullptr) {
    problems.Add(message, absl::StrFormat("%s is %s inside of %s; move it to the top of the file", message.name(),
                                          Article(kind), message.containing_type()->name()));
  }
  for (int i = 0; i < message.field_count(); ++i) CheckFieldOptions(*message.field(i), kind, problems);
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) CheckOneofOptions(*message.oneof_decl(i), kind, problems);
}

const pb::FieldDescriptor* IdFieldOf(const pb::Descriptor& message, Problems& problems) {
  const auto ids = MarkedFields(message, &v1::FieldOptions::id);
  if (ids.empty()) {
    problems.Add(message, absl::StrFormat("%s is %s without an id; mark its id, a string field, with "
                                          "[(everfold.v1.field).id = true]",
                                          message.name(), Article(KindOf(message))));
    return nullptr;
  }
  const pb::FieldDescriptor& id = *ids.front();
  if (ids.size() > 1) {
    problems.Add(*ids[1], absl::StrFormat("%s has more than one id, %s and %s; mark one field only", message.name(),
                                          id.name(), ids[1]->name()));
    return nullptr;
  }
  if (id.is_repeated() || id.type() != pb::FieldDescriptor::TYPE_STRING) {
    problems.Add(id, absl::StrFormat("the id %s is %s%s; an id is one string", id.name(),
                                     id.is_repeated() ? "repeated " : "", id.type_name()));
    return nullptr;
  }
  return &id;
}

const pb::FieldDescriptor* TimeFieldOf(const pb::Descriptor& event, Problems& problems) {
  const auto times = MarkedFields(event, &v1::FieldOptions::event_time);
  if (times.empty()) return nullptr;
  if (times.size() > 1) {
    problems.Add(*times[1], absl::StrFormat("%s has more than one event_time, %s and %s; mark one field only",
                                            event.name(), times[0]->name(), times[1]->name()));
  }
  const pb::FieldDescriptor& time = *times.front();
  const bool timestamp =
      time.message_type() != nullptr && time.message_type()->full_name() == "google.protobuf.Timestamp";
  if (!timestamp || time.is_repeated()) {
    problems.Add(time, absl::StrFormat("the event_time %s is not a google.protobuf.Timestamp; change its type, or "
                                       "remove the mark",
                                       time.name()));
  }
  return &time;
}

std::vector<TagField> TagFieldsOf(const pb::Descriptor& event, Problems& problems) {
  std::vector<TagField> tags;
  for (int i = 0; i < event.field_count(); ++i) {
    const pb::FieldDescriptor& field = *event.field(i);
    const v1::FieldOptions& options = OptionsOf(field);
    if (!options.tag() && options.tag_name().empty()) continue;
    const std::string& name = options.tag_name().empty() ? field.name() : options.tag_name();
    if (!IsPartName(name)) {
      problems.Add(field, absl::StrFormat("'%s' is no name for a tag; give it one like [a-z][a-z0-9_]*, of at most %d "
                                          "characters: `tag_name = \"order\"`",
                                          name, kMaxPartNameBytes));
    }
    if (!CanBeTag(field)) {
      problems.Add(field, absl::StrFormat("the tag %s is %s; a tag is a string or an integer, or several of them",
                                          field.name(), field.is_map() ? "a map" : field.type_name()));
    }
    tags.push_back({&field, name});
  }
  if (tags.size() > kMaxTagsPerEvent) {
    problems.Add(event, absl::StrFormat("%s has %d tags, and an event at most %d; remove some marks", event.name(),
                                        tags.size(), kMaxTagsPerEvent));
  }
  return tags;
}

std::string CodeOf(const pb::Descriptor& rejection, Problems& problems) {
  const std::string& code = rejection.options().GetExtension(v1::message).rejection().code();
  if (code.empty()) return "FAILED_PRECONDITION";
  if (StatusEnumerator(code).empty()) {
    problems.Add(rejection, absl::StrFormat("%s has the code '%s', which is no status code of a failure; write a gRPC "
                                            "status code such as FAILED_PRECONDITION or PERMISSION_DENIED",
                                            rejection.name(), code));
  }
  return code;
}

std::string StatusEnumerator(const std::string& code) {
  static const auto& kEnumerators = *new std::map<std::string, std::string>{
      {"CANCELLED", "kCancelled"},
      {"UNKNOWN", "kUnknown"},
      {"INVALID_ARGUMENT", "kInvalidArgument"},
      {"DEADLINE_EXCEEDED", "kDeadlineExceeded"},
      {"NOT_FOUND", "kNotFound"},
      {"ALREADY_EXISTS", "kAlreadyExists"},
      {"PERMISSION_DENIED", "kPermissionDenied"},
      {"RESOURCE_EXHAUSTED", "kResourceExhausted"},
      {"FAILED_PRECONDITION", "kFailedPrecondition"},
      {"ABORTED", "kAborted"},
      {"OUT_OF_RANGE", "kOutOfRange"},
      {"UNIMPLEMENTED", "kUnimplemented"},
      {"INTERNAL", "kInternal"},
      {"UNAVAILABLE", "kUnavailable"},
      {"DATA_LOSS", "kDataLoss"},
      {"UNAUTHENTICATED", "kUnauthenticated"},
  };
  const auto found = kEnumerators.find(code);
  return found == kEnumerators.end() ? "" : found->second;
}

}  // namespace everfold::codegen
