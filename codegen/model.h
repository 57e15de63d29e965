// A domain as the emitters see it: nouns with their parts, read from the descriptors of one .proto file. Whatever is
// wrong with the file is refused while it is read, so emitters check nothing.
//
// Lifetime: everything points into the file's descriptor pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codegen/problems.h"
#include "everfold/v1/options.pb.h"
#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

struct Command {
  const pb::Descriptor* message = nullptr;
  const pb::FieldDescriptor* id = nullptr;  // nullptr for a command to a boundary
  v1::Expect expect = v1::EXPECT_ANY;       // never EXPECT_UNSPECIFIED
  bool needs_request_id = false;
  bool records_outcomes = false;
};

// A field of an event whose value is a tag.
struct TagField {
  const pb::FieldDescriptor* field = nullptr;
  std::string name;  // of the tag
};

struct Event {
  const pb::Descriptor* message = nullptr;
  const pb::FieldDescriptor* time = nullptr;  // the field marked event_time, if there is one
  std::vector<TagField> tags{};
  std::vector<std::string> was{};             // full names that it had before
  const pb::Descriptor* upcast_to = nullptr;  // the event that supersedes it, if there is one
  std::uint32_t upcast_revision = 0;          // of a superseded event: 1 or more
};

struct Rejection {
  const pb::Descriptor* message = nullptr;
  std::string code;  // "FAILED_PRECONDITION"
};

struct Aggregate {
  const pb::Descriptor* message = nullptr;
  std::string name;  // first part of its streams' names
  std::vector<Command> commands{};
  std::vector<Event> events{};  // without the superseded ones
  std::vector<Event> superseded{};
  std::vector<Rejection> rejections{};
};

// A column, or one of the two that a Money has.
struct Column {
  enum class Part { kWhole, kMinor, kCurrency };

  const pb::FieldDescriptor* field = nullptr;
  Part part = Part::kWhole;
};

struct Index {
  std::vector<std::size_t> columns;  // indexes into the read model's
  bool unique = false;
};

struct Boundary {
  const pb::Descriptor* message = nullptr;
  std::string name;  // what rejections and logs call it
  std::vector<Command> commands{};
  std::vector<Rejection> rejections{};
};

struct Process {
  const pb::Descriptor* message = nullptr;
  const pb::FieldDescriptor* id = nullptr;
  std::string name;  // a part of its streams' names
};

struct ReadModel {
  const pb::Descriptor* message = nullptr;
  std::string table;
  std::vector<Column> columns{};                  // in the order of field numbers
  std::vector<const pb::FieldDescriptor*> key{};  // in the key's order
  std::vector<Index> indexes{};
};

struct Domain {
  const pb::FileDescriptor* file = nullptr;
  std::vector<Aggregate> aggregates{};
  std::vector<Boundary> boundaries{};
  std::vector<ReadModel> read_models{};
  std::vector<Process> processes{};
};

// Reads the file, and adds everything that is wrong with it to `problems`; the domain is complete only if there is
// nothing.
Domain ReadDomain(const pb::FileDescriptor& file, Problems& problems);

// True for a file that the generator wrote: its services say which part of a domain they serve.
bool IsGeneratedApi(const pb::FileDescriptor& file);

// All messages of the file, nested ones too, in the order of declaration; without the entries of maps.
std::vector<const pb::Descriptor*> MessagesOf(const pb::FileDescriptor& file);

// Of all aggregates and boundaries.
std::vector<const Command*> CommandsOf(const Domain& domain);

}  // namespace everfold::codegen
