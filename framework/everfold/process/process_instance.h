// One instance of a process as its steps have made it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/process/process_type.h"
#include "everfold/store/event_store.h"
#include "everfold/v1/process_step.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

// A command or an activity, by the step that it came of, and its place there.
struct OutgoingRef {
  Version version;
  std::uint32_t index = 0;
  friend auto operator<=>(const OutgoingRef&, const OutgoingRef&) = default;
};
v1::ProcessReference ReferenceOf(const OutgoingRef& ref);
OutgoingRef RefOf(const v1::ProcessReference& reference);

// Where an event stands in the order in which they are handed out.
struct EventOrder {
  Sequence sequence;
  Position position;
  friend auto operator<=>(const EventOrder&, const EventOrder&) = default;
};

// How often it was tried since its process began to run, which the stream does not tell.
struct Attempts {
  unsigned begun = 0;
  absl::Status error = {};  // of the last one that has ended
};

// A command that is not known to be accepted or refused.
struct OpenCommand {
  std::string id;  // under which it is sent: a UUID of its step and place
  std::string type;
  std::string payload;
  absl::Time recorded_at;  // of its step
  Metadata metadata;       // likewise
  // Of what Process::Get tells: also whether it is accepted, and that is not on record yet.
  Attempts attempts = {};
  bool accepted = false;
};

struct OpenActivity {
  std::string key;  // likewise
  std::string name;
  std::string request;
  absl::Time deadline;
  // Of what Process::Get tells: also whether the next one waits for its turn.
  Attempts attempts = {};
  bool waits_for_turn = false;
};

// What is sent is known by this wherever it goes. The step's recorded time tells apart what the same version was in two
// histories of a store, before and after a restore.
std::string OutgoingId(const StreamId& instance, const OutgoingRef& ref, absl::Time recorded_at);
std::string ActivityKey(const StreamId& instance, const OutgoingRef& ref, absl::Time recorded_at);

// Threading: one thread; its state is immutable.
struct ProcessInstance {
  StreamId stream;
  Version version;         // 0: it has not begun
  Metadata metadata = {};  // of the newest step
  std::shared_ptr<const google::protobuf::Message> state = {};
  EventOrder last_event = {};
  std::map<OutgoingRef, OpenCommand> commands = {};
  std::map<OutgoingRef, OpenActivity> activities = {};
  std::map<std::string, v1::ProcessTimer> timers = {};  // by name
  bool done = false;

  bool exists() const { return version > Version(0); }

  // Goes on with the next step, which has this state. REQUIRES: it is one of this process.
  // DATA_LOSS if it names as open what it does not order.
  absl::Status Apply(const v1::ProcessStep& step, std::shared_ptr<const google::protobuf::Message> state,
                     absl::Time recorded_at, const Metadata& metadata);
};

// From the instance's stream: its newest step, and those that what is open came of. Blocks as a read of the store.
//   DATA_LOSS  an event of the stream is no step
// and errors of the store.
absl::StatusOr<ProcessInstance> LoadInstance(const EventStore& store, const ProcessType& type, const StreamId& stream);

// Whether one of its steps has taken the event. Reads back through its stream; blocks, and errors, as LoadInstance.
absl::StatusOr<bool> HasTaken(const EventStore& store, const ProcessInstance& instance, const StreamId& stream,
                              Version version);

// Of one event of an instance's stream, in place of what `step` was. DATA_LOSS if it is none.
absl::Status ReadStep(const RecordedEvent& event, v1::ProcessStep& step);
absl::StatusOr<v1::ProcessStep> StepOfEvent(const RecordedEvent& event);

}  // namespace everfold
