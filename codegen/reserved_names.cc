#include "codegen/reserved_names.h"

#include <map>

#include "absl/strings/str_format.h"
#include "codegen/names.h"

namespace everfold::codegen {
namespace {

std::string InPackage(const pb::FileDescriptor& file, const std::string& name) {
  return file.package().empty() ? name : file.package() + "." + name;
}

// Where generated services are declared: what is in there takes no name from itself.
bool IsInApi(const pb::FileDescriptor& file, const pb::FileDescriptor& declared_in) {
  return declared_in.name() == Stem(file) + "_api.proto";
}

// The message of this C++ class, or nullptr.
const pb::Descriptor* MessageOfClass(const pb::FileDescriptor& file, const std::string& name) {
  for (const pb::Descriptor* message : MessagesOf(file)) {
    if (ClassName(*message) == name) return message;
  }
  return nullptr;
}

// True if a declaration of the package has this name.
bool IsTaken(const pb::FileDescriptor& file, const std::string& name) {
  if (MessageOfClass(file, name) != nullptr) return true;
  const pb::FileDescriptor* declared_in = file.pool()->FindFileContainingSymbol(InPackage(file, name));
  return declared_in != nullptr && !IsInApi(file, *declared_in);
}

class Reservations {
 public:
  Reservations(const pb::FileDescriptor& file, Problems& problems) : file_(file), problems_(problems) {}

  void Add(const pb::Descriptor& origin, const std::string& name) {
    const auto [other, is_new] = origins_.try_emplace(name, &origin);
    if (!is_new) {
      problems_.Add(origin, absl::StrFormat("the name %s is generated for both %s and %s; rename one", name,
                                            other->second->name(), origin.name()));
    } else if (IsTaken(file_, name)) {
      const pb::Descriptor* taker = MessageOfClass(file_, name);
      problems_.Add(taker != nullptr ? *taker : origin,
                    absl::StrFormat("the name %s is needed for what is generated for %s; rename the declaration that "
                                    "has it",
                                    name, origin.name()));
    }
  }

 private:
  const pb::FileDescriptor& file_;
  Problems& problems_;
  std::map<std::string, const pb::Descriptor*> origins_;
};

void AddQueryNames(const ReadModel& read_model, Reservations& names) {
  const pb::Descriptor& row = *read_model.message;
  names.Add(row, QueryServiceName(read_model));
  for (const std::string& rpc :
       {"Get" + row.name(), "List" + Plural(row.name()), "Watch" + row.name(), "Watch" + Plural(row.name())}) {
    names.Add(row, rpc + "Request");
    names.Add(row, rpc + "Response");
  }
}

}  // namespace

std::string CommandServiceName(const pb::Descriptor& part) { return part.name() + "CommandService"; }
std::string QueryServiceName(const ReadModel& read_model) { return read_model.message->name() + "QueryService"; }
std::string FieldsName(const pb::Descriptor& message) { return ClassName(message) + "Fields"; }
std::string FactoryName(const pb::Descriptor& message) { return "Make" + ClassName(message); }

bool HasFactory(const pb::Descriptor& message) { return !IsTaken(*message.file(), FactoryName(message)); }

void CheckReservedNames(const Domain& domain, Problems& problems) {
  Reservations names(*domain.file, problems);
  for (const pb::Descriptor* message : MessagesOf(*domain.file)) names.Add(*message, FieldsName(*message));
  for (const Aggregate& aggregate : domain.aggregates) {
    names.Add(*aggregate.message, CommandServiceName(*aggregate.message));
  }
  for (const Boundary& boundary : domain.boundaries) {
    names.Add(*boundary.message, CommandServiceName(*boundary.message));
  }
  for (const Command* command : CommandsOf(domain)) {
    names.Add(*command->message, command->message->name() + "Request");
    names.Add(*command->message, command->message->name() + "Response");
  }
  for (const ReadModel& read_model : domain.read_models) AddQueryNames(read_model, names);
}

}  // namespace everfold::codegen
