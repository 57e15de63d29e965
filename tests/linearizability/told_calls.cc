#include "tests/linearizability/told_calls.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"

namespace everfold {
namespace {

constexpr std::string_view kSent = "sent", kAnswered = "answered", kRead = "read", kPulled = "pulled";

class Numbers {
 public:
  explicit Numbers(std::string_view kind) : line_(kind) {}
  void Add(std::uint64_t number) { absl::StrAppend(&line_, " ", number); }
  void Add(std::int64_t number) { Add(static_cast<std::uint64_t>(number)); }
  void Add(bool is) { Add(std::uint64_t{is}); }
  void Add(StreamNumber number) { Add(std::uint64_t{number}); }
  void Add(const std::optional<Version>& version) { Add(version.has_value() ? version->value() + 1 : std::uint64_t{0}); }
  std::string line() && { return std::move(line_); }

 private:
  std::string line_;
};

class NumberReader {
 public:
  explicit NumberReader(std::string_view words) : words_(words) {}
  bool at_end() const { return words_.empty(); }
  std::uint64_t Next() {
    EVERFOLD_CHECK(words_.starts_with(' '));
    words_.remove_prefix(1);
    std::uint64_t number = 0;
    const std::from_chars_result parsed = std::from_chars(words_.data(), words_.data() + words_.size(), number);
    EVERFOLD_CHECK(parsed.ec == std::errc());
    words_.remove_prefix(static_cast<std::size_t>(parsed.ptr - words_.data()));
    return number;
  }
  std::int64_t NextTime() { return static_cast<std::int64_t>(Next()); }
  std::uint32_t NextSmall() { return static_cast<std::uint32_t>(Next()); }
  std::optional<Version> NextVersion() {
    const std::uint64_t number = Next();
    return number == 0 ? std::nullopt : std::optional(Version(number - 1));
  }

 private:
  std::string_view words_;
};

AppendCall ParseSent(NumberReader numbers) {
  AppendCall append;
  append.number = numbers.Next();
  append.time.start = numbers.NextTime();
  while (!numbers.at_end()) {
    AppendPart& part = append.parts.emplace_back();
    part.stream = numbers.NextSmall();
    part.expected = numbers.NextVersion();
    part.events = numbers.Next();
  }
  return append;
}

void ParseAnswer(NumberReader numbers, AppendCall& append) {
  append.time.end = numbers.NextTime();
  append.outcome = static_cast<AppendOutcome>(numbers.Next());
  append.sequence = Sequence(numbers.Next());
  append.conflicting = numbers.NextSmall();
  append.actual = Version(numbers.Next());
  for (AppendPart& part : append.parts) part.version = Version(numbers.Next());
}

ReadCall ParseRead(NumberReader numbers) {
  ReadCall read;
  read.time.start = numbers.NextTime();
  read.time.end = numbers.NextTime();
  read.stream = numbers.NextSmall();
  read.after = numbers.NextVersion();
  read.to_end = numbers.Next() != 0;
  read.head = Version(numbers.Next());
  while (!numbers.at_end()) {
    const Version version(numbers.Next());
    read.events.push_back({version, numbers.Next()});
  }
  return read;
}

void ParsePulled(NumberReader numbers, PullCall& pull, std::vector<std::uint64_t>& checkpoint) {
  pull.time.start = numbers.NextTime();
  pull.time.end = numbers.NextTime();
  pull.caught_up = numbers.Next() != 0;
  checkpoint.resize(numbers.Next());
  for (std::uint64_t& offset : checkpoint) offset = numbers.Next();
  while (!numbers.at_end()) {
    DeliveredEvent& event = pull.events.emplace_back();
    event.sequence = Sequence(numbers.Next());
    event.position.partition = PartitionId(numbers.NextSmall());
    event.position.offset = Offset(numbers.Next());
    event.stream = numbers.NextSmall();
    event.version = Version(numbers.Next());
    event.append = numbers.Next();
  }
}

}  // namespace

std::string SentLine(const AppendCall& append) {
  Numbers numbers(kSent);
  numbers.Add(append.number);
  numbers.Add(append.time.start);
  for (const AppendPart& part : append.parts) {
    numbers.Add(part.stream);
    numbers.Add(part.expected);
    numbers.Add(part.events);
  }
  return std::move(numbers).line();
}

std::string AnsweredLine(const AppendCall& append) {
  Numbers numbers(kAnswered);
  numbers.Add(append.number);
  numbers.Add(append.time.end);
  numbers.Add(static_cast<std::uint64_t>(append.outcome));
  numbers.Add(append.sequence.value());
  numbers.Add(append.conflicting);
  numbers.Add(append.actual.value());
  for (const AppendPart& part : append.parts) numbers.Add(part.version.value());
  return std::move(numbers).line();
}

std::string ReadLine(const ReadCall& read) {
  Numbers numbers(kRead);
  numbers.Add(read.time.start);
  numbers.Add(read.time.end);
  numbers.Add(read.stream);
  numbers.Add(read.after);
  numbers.Add(read.to_end);
  numbers.Add(read.head.value());
  for (const ReadEvent& event : read.events) {
    numbers.Add(event.version.value());
    numbers.Add(event.append);
  }
  return std::move(numbers).line();
}

std::string PulledLine(const PullCall& pull, const std::vector<std::uint64_t>& checkpoint) {
  Numbers numbers(kPulled);
  numbers.Add(pull.subscriber);
  numbers.Add(pull.time.start);
  numbers.Add(pull.time.end);
  numbers.Add(pull.caught_up);
  numbers.Add(std::uint64_t{checkpoint.size()});
  for (const std::uint64_t offset : checkpoint) numbers.Add(offset);
  for (const DeliveredEvent& event : pull.events) {
    numbers.Add(event.sequence.value());
    numbers.Add(event.position.partition.value());
    numbers.Add(event.position.offset.value());
    numbers.Add(event.stream);
    numbers.Add(event.version.value());
    numbers.Add(event.append);
  }
  return std::move(numbers).line();
}

bool ToldHistory::Note(const std::string& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view kind = std::string_view(line).substr(0, end);
  NumberReader numbers(std::string_view(line).substr(end));
  if (kind == kSent) {
    OnSent(ParseSent(numbers));
  } else if (kind == kAnswered) {
    const auto sent = outstanding_.find(numbers.Next());
    EVERFOLD_CHECK(sent != outstanding_.end());
    ParseAnswer(numbers, history_.appends[sent->second]);
    outstanding_.erase(sent);
  } else if (kind == kRead) {
    history_.reads.push_back(ParseRead(numbers));
  } else if (kind == kPulled) {
    PullCall pull;
    pull.subscriber = numbers.NextSmall();
    ParsePulled(numbers, pull, checkpoints_.at(pull.subscriber));
    history_.pulls.push_back(std::move(pull));
  } else {
    return false;
  }
  return true;
}

void ToldHistory::OnSent(AppendCall append) {
  next_append_ = std::max(next_append_, append.number + 1);
  outstanding_.emplace(append.number, history_.appends.size());
  history_.appends.push_back(std::move(append));
}

void ToldHistory::OnDeath(std::int64_t now) {
  for (const auto& [number, i] : outstanding_) history_.appends[i].time.end = now;
  outstanding_.clear();
}

}  // namespace everfold
