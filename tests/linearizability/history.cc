#include "tests/linearizability/history.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace everfold {
namespace {

std::string Describe(const CallTime& time) {
  return absl::StrCat("[", time.start, ", ", time.end == kForever ? "?" : absl::StrCat(time.end), "]");
}

std::string Describe(const AppendPart& part) {
  return absl::StrCat("stream ", part.stream, " at ",
                      part.expected.has_value() ? absl::StrCat(part.expected->value()) : "any", " +", part.events);
}

std::string OutcomeOf(const AppendCall& append) {
  switch (append.outcome) {
    case AppendOutcome::kUnknown:
      return "unknown";
    case AppendOutcome::kDone: {
      std::vector<std::uint64_t> versions;
      for (const AppendPart& part : append.parts) versions.push_back(part.version.value());
      return absl::StrCat("version ", absl::StrJoin(versions, ", "), ", commit ", append.sequence.value());
    }
    case AppendOutcome::kConflict:
      return absl::StrCat("conflict, stream ", append.conflicting, " is at ", append.actual.value());
    case AppendOutcome::kRefused:
      return "refused";
  }
  return "";
}

}  // namespace

std::string Describe(const AppendCall& append) {
  std::vector<std::string> parts;
  for (const AppendPart& part : append.parts) parts.push_back(Describe(part));
  return absl::StrCat("append ", append.number, " ", Describe(append.time), " to ", absl::StrJoin(parts, ", "), ": ",
                      OutcomeOf(append));
}

std::string Describe(const ReadCall& read) {
  std::string text = absl::StrCat("read ", Describe(read.time), " of stream ", read.stream);
  if (!read.after.has_value()) return absl::StrCat(text, ": version ", read.head.value());
  std::vector<std::string> events;
  for (const ReadEvent& event : read.events) {
    events.push_back(absl::StrCat(event.version.value(), " of append ", event.append));
  }
  return absl::StrCat(text, " after ", read.after->value(), ": ", absl::StrJoin(events, ", "),
                      read.to_end ? ", the end" : ", and more");
}

std::string Describe(const DeliveredEvent& event) {
  return absl::StrCat("commit ", event.sequence.value(), " at ", event.position.partition.value(), "/",
                      event.position.offset.value(), ", version ", event.version.value(), " of stream ", event.stream,
                      ", of append ", event.append);
}

std::string Describe(const PullCall& pull) {
  std::string text = absl::StrCat("pull ", Describe(pull.time), " by subscriber ", pull.subscriber, ": ");
  if (pull.events.empty()) return text + (pull.caught_up ? "nothing, the end" : "nothing");
  return absl::StrCat(text, pull.events.size(), " events, from ", Describe(pull.events.front()), " to ",
                      Describe(pull.events.back()), pull.caught_up ? ", the end" : ", and more");
}

}  // namespace everfold
