#include "codegen/model.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/evolution.h"
#include "codegen/names.h"
#include "codegen/options.h"
#include "codegen/read_model.h"
#include "codegen/reserved_names.h"
#include "codegen/rule_checks.h"

namespace everfold::codegen {
namespace {

void Collect(const pb::Descriptor& message, std::vector<const pb::Descriptor*>& messages) {
  if (message.options().map_entry()) return;
  messages.push_back(&message);
  for (int i = 0; i < message.nested_type_count(); ++i) Collect(*message.nested_type(i), messages);
}

bool IsProto3(const pb::FileDescriptor& file) {
  pb::FileDescriptorProto proto;
  file.CopyTo(&proto);
  return proto.syntax() == "proto3";
}

class Reader {
 public:
  Reader(const pb::FileDescriptor& file, Problems& problems) : problems_(problems) { domain_.file = &file; }

  Domain Read() && {
    ForEach(Kind::kAggregate, &Reader::AddAggregate);
    ForEach(Kind::kBoundary, &Reader::AddBoundary);
    ForEach(Kind::kCommand, &Reader::AddCommand);
    ForEach(Kind::kEvent, &Reader::AddEvent);
    ForEach(Kind::kRejection, &Reader::AddRejection);
    ForEach(Kind::kReadModel, &Reader::AddReadModel);
    ForEach(Kind::kProcess, &Reader::AddProcess);
    for (const Aggregate& aggregate : domain_.aggregates) CheckHasCommands(aggregate, "aggregate", "{}");
    for (const Boundary& boundary : domain_.boundaries) {
      CheckHasCommands(boundary, "boundary", absl::StrFormat("{boundary: \"%s\"}", boundary.message->name()));
    }
    ReadEvolution(domain_, problems_);
    return std::move(domain_);
  }

 private:
  void ForEach(Kind kind, void (Reader::*add)(const pb::Descriptor&)) {
    for (int i = 0; i < domain_.file->message_type_count(); ++i) {
      const pb::Descriptor& message = *domain_.file->message_type(i);
      if (KindOf(message) == kind) (this->*add)(message);
    }
  }

  void AddAggregate(const pb::Descriptor& message) {
    IdFieldOf(message, problems_);
    const std::string& given = message.options().GetExtension(v1::message).aggregate().name();
    const std::string name = given.empty() ? SnakeCase(message.name()) : given;
    CheckName(message, "aggregate", name);
    CheckIsUnique(message, "aggregate", name, domain_.aggregates);
    domain_.aggregates.push_back({.message = &message, .name = name});
  }

  void AddBoundary(const pb::Descriptor& message) {
    const std::string& given = message.options().GetExtension(v1::message).boundary().name();
    const std::string name = given.empty() ? SnakeCase(message.name()) : given;
    CheckName(message, "boundary", name);
    CheckIsUnique(message, "boundary", name, domain_.boundaries);
    CheckIsUnique(message, "boundary", name, domain_.aggregates);
    domain_.boundaries.push_back({.message = &message, .name = name});
  }

  void AddProcess(const pb::Descriptor& message) {
    const pb::FieldDescriptor* id = IdFieldOf(message, problems_);
    const std::string& given = message.options().GetExtension(v1::message).process().name();
    const std::string name = given.empty() ? SnakeCase(message.name()) : given;
    CheckName(message, "process", name, kMaxProcessNameBytes);
    CheckIsUnique(message, "process", name, domain_.processes);
    domain_.processes.push_back({.message = &message, .id = id, .name = name});
  }

  void CheckName(const pb::Descriptor& message, const char* kind, const std::string& name,
                 std::size_t max_bytes = kMaxPartNameBytes) {
    if (IsPartName(name) && name.size() <= max_bytes) return;
    problems_.Add(message, absl::StrFormat("'%s' is no name for the %s %s; give it one like [a-z][a-z0-9_]*, of at "
                                           "most %d characters: `%s = {name: \"order\"}`",
                                           name, kind, message.name(), max_bytes, kind));
  }

  template <class Part>
  void CheckIsUnique(const pb::Descriptor& message, const char* kind, const std::string& name,
                     const std::vector<Part>& others) {
    for (const Part& other : others) {
      if (other.name != name) continue;
      problems_.Add(message, absl::StrFormat("%s has the %s name '%s' of %s; give it another: `%s = {name: \"...\"}`",
                                             message.name(), kind, name, other.message->name(), kind));
    }
  }

  void AddCommand(const pb::Descriptor& message) {
    const v1::CommandOptions& options = message.options().GetExtension(v1::message).command();
    if (!options.boundary().empty()) return AddBoundaryCommand(message, options);
    const pb::FieldDescriptor* id = IdFieldOf(message, problems_);
    const v1::Expect expect = options.expect() == v1::EXPECT_UNSPECIFIED ? v1::EXPECT_ANY : options.expect();
    Aggregate* aggregate = AggregateOf(message, options.aggregate());
    if (aggregate != nullptr)
      aggregate->commands.push_back({.message = &message,
                                     .id = id,
                                     .expect = expect,
                                     .needs_request_id = options.key() == v1::KEY_REQUIRED,
                                     .records_outcomes = options.record() == v1::RECORD_OUTCOMES});
  }

  void AddBoundaryCommand(const pb::Descriptor& message, const v1::CommandOptions& options) {
    CheckNamesNoStream(message, options);
    Boundary* boundary = BoundaryOf(message, options.boundary(), options.aggregate());
    if (boundary != nullptr)
      boundary->commands.push_back({.message = &message,
                                    .needs_request_id = options.key() == v1::KEY_REQUIRED,
                                    .records_outcomes = options.record() == v1::RECORD_OUTCOMES});
  }

  void CheckNamesNoStream(const pb::Descriptor& message, const v1::CommandOptions& options) {
    if (options.expect() != v1::EXPECT_UNSPECIFIED) {
      problems_.Add(message, absl::StrFormat("%s is a command to a boundary, which has no stream to expect something "
                                             "of; remove `expect`, and have Decide look at the events",
                                             message.name()));
    }
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      if (!field.options().GetExtension(v1::field).id()) continue;
      problems_.Add(field, absl::StrFormat("%s is marked id, but %s is a command to a boundary, which has no stream; "
                                           "remove the mark",
                                           field.name(), message.name()));
    }
  }

  void AddEvent(const pb::Descriptor& message) {
    const v1::EventOptions& options = message.options().GetExtension(v1::message).event();
    const pb::FieldDescriptor* time = TimeFieldOf(message, problems_);
    std::vector<TagField> tags = TagFieldsOf(message, problems_);
    Aggregate* aggregate = AggregateOf(message, options.aggregate());
    if (aggregate == nullptr) return;
    Event event{.message = &message,
                .time = time,
                .tags = std::move(tags),
                .was = {options.was().begin(), options.was().end()}};
    if (options.upcast_to().empty()) {
      aggregate->events.push_back(std::move(event));
    } else {
      event.upcast_revision = std::max(options.upcast_revision(), 1u);
      aggregate->superseded.push_back(std::move(event));
    }
  }

  void AddRejection(const pb::Descriptor& message) {
    const v1::RejectionOptions& options = message.options().GetExtension(v1::message).rejection();
    const std::string code = CodeOf(message, problems_);
    if (!options.boundary().empty()) {
      Boundary* boundary = BoundaryOf(message, options.boundary(), options.aggregate());
      if (boundary != nullptr) boundary->rejections.push_back({&message, code});
      return;
    }
    Aggregate* aggregate = AggregateOf(message, options.aggregate());
    if (aggregate != nullptr) aggregate->rejections.push_back({&message, code});
  }

  void AddReadModel(const pb::Descriptor& message) {
    ReadModel read_model = ReadReadModel(message, problems_);
    for (const ReadModel& other : domain_.read_models) {
      if (other.table != read_model.table) continue;
      problems_.Add(message, absl::StrFormat("%s and %s would both be the table %s; rename one", message.name(),
                                             other.message->name(), read_model.table));
    }
    domain_.read_models.push_back(std::move(read_model));
  }

  // The boundary of this name. nullptr, and a problem, if there is none, or an aggregate is named as well.
  Boundary* BoundaryOf(const pb::Descriptor& message, const std::string& name, const std::string& aggregate) {
    if (!aggregate.empty()) {
      problems_.Add(message, absl::StrFormat("%s is %s of the aggregate %s and of the boundary %s; name one of them",
                                             message.name(), Article(KindOf(message)), aggregate, name));
      return nullptr;
    }
    const auto named =
        std::find_if(domain_.boundaries.begin(), domain_.boundaries.end(), [&name](const Boundary& boundary) {
          return boundary.message->name() == name || boundary.message->full_name() == name;
        });
    if (named != domain_.boundaries.end()) return &*named;
    problems_.Add(message,
                  absl::StrFormat("%s is %s of '%s', which is no boundary of this file; declare it in the same "
                                  "file, with `option (everfold.v1.message).boundary = {};`",
                                  message.name(), Article(KindOf(message)), name));
    return nullptr;
  }

  // The aggregate of this name, or without one the only aggregate of the file. nullptr, and a problem, if there is
  // none.
  Aggregate* AggregateOf(const pb::Descriptor& message, const std::string& name) {
    std::vector<Aggregate>& all = domain_.aggregates;
    if (name.empty() && all.size() == 1) return &all.front();
    const auto named = std::find_if(all.begin(), all.end(), [&name](const Aggregate& aggregate) {
      return aggregate.message->name() == name || aggregate.message->full_name() == name;
    });
    if (named != all.end()) return &*named;
    problems_.Add(message, NoAggregate(message, name));
    return nullptr;
  }

  std::string NoAggregate(const pb::Descriptor& message, const std::string& name) const {
    const std::string kind = Article(KindOf(message));
    const std::string declared = absl::StrJoin(domain_.aggregates, ", ", [](std::string* out, const Aggregate& a) {
      absl::StrAppendFormat(out, "%s", a.message->name());
    });
    if (!name.empty()) {
      return absl::StrFormat(
          "%s is %s of '%s', which is no aggregate of this file (%s); name one of them, or declare "
          "both in the same file",
          message.name(), kind, name, declared.empty() ? "it has none" : "it has " + declared);
    }
    if (declared.empty()) {
      return absl::StrFormat(
          "%s is %s, but this file declares no aggregate; mark the state with "
          "`option (everfold.v1.message).aggregate = {};`",
          message.name(), kind);
    }
    return absl::StrFormat("%s is %s, but of which aggregate? This file has %s; name it: `{aggregate: \"%s\"}`",
                           message.name(), kind, declared, domain_.aggregates.front().message->name());
  }

  template <class Part>
  void CheckHasCommands(const Part& part, const char* kind, const std::string& options) {
    // After another problem this may be a consequence of it.
    if (!part.commands.empty() || !problems_.empty()) return;
    problems_.Add(*part.message, absl::StrFormat("the %s %s has no command; mark one with "
                                                 "`option (everfold.v1.message).command = %s;`",
                                                 kind, part.message->name(), options));
  }

  Problems& problems_;
  Domain domain_;
};

// What is wrong with the file as a whole; nothing else is looked at then.
bool CheckFile(const pb::FileDescriptor& file, const std::vector<const pb::Descriptor*>& messages, Problems& problems) {
  const bool has_domain = std::any_of(messages.begin(), messages.end(), [](const pb::Descriptor* message) {
    return message->options().HasExtension(v1::message);
  });
  if (!IsProto3(file)) {
    problems.Add(file.name(), 1, "a domain is written in proto3; begin the file with `syntax = \"proto3\";`");
  } else if (!has_domain) {
    problems.Add(file.name(), 1,
                 "no message of this file has a kind; mark one with "
                 "`option (everfold.v1.message)`, or list the file under VALUES of everfold_add_domain");
  } else if (absl::EndsWith(Stem(file), "_api")) {
    problems.Add(file.name(), 1,
                 absl::StrFormat("'_api.proto' is how generated files end, and this one declares a "
                                 "domain; rename it"));
  } else {
    return true;
  }
  return false;
}

}  // namespace

Domain ReadDomain(const pb::FileDescriptor& file, Problems& problems) {
  const std::vector<const pb::Descriptor*> messages = MessagesOf(file);
  if (!CheckFile(file, messages, problems)) return {.file = &file};
  for (const pb::Descriptor* message : messages) CheckOptions(*message, problems);
  Domain domain = Reader(file, problems).Read();
  CheckRules(domain, problems);
  CheckReservedNames(domain, problems);
  return domain;
}

bool IsGeneratedApi(const pb::FileDescriptor& file) {
  return file.service_count() > 0 && file.service(0)->options().HasExtension(v1::service);
}

std::vector<const pb::Descriptor*> MessagesOf(const pb::FileDescriptor& file) {
  std::vector<const pb::Descriptor*> messages;
  for (int i = 0; i < file.message_type_count(); ++i) Collect(*file.message_type(i), messages);
  return messages;
}

std::vector<const Command*> CommandsOf(const Domain& domain) {
  std::vector<const Command*> commands;
  for (const Aggregate& aggregate : domain.aggregates) {
    for (const Command& command : aggregate.commands) commands.push_back(&command);
  }
  for (const Boundary& boundary : domain.boundaries) {
    for (const Command& command : boundary.commands) commands.push_back(&command);
  }
  return commands;
}

}  // namespace everfold::codegen
