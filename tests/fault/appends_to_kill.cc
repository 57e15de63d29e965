#include "tests/fault/appends_to_kill.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "everfold/log/files/files.h"
#include "tests/simulation/store_on_disk.h"

namespace everfold {
namespace {

constexpr std::uint64_t kAppendsOfAChain = 8;

// One of a few appends in a row that only hold if each of them does.
AppendRequest LinkOfChain(std::uint64_t number) {
  NewEvent event;
  event.type = "jar.v1.Filled";
  AppendRequest request;
  request.command = {"jar.v1.Fill", absl::StrCat("r", number), "fingerprint"};
  request.streams = {{.stream = {"", "jar", absl::StrCat("chain", number / kAppendsOfAChain)},
                      .expectation = StreamExpectation::Exact(Version(number % kAppendsOfAChain)),
                      .events = {event}}};
  return request;
}

std::uint64_t Number(const std::string& word) {
  std::uint64_t number = 0;
  EVERFOLD_CHECK(absl::SimpleAtoi(word, &number));
  return number;
}

AppendResult ResultOf(const std::vector<std::string>& words, const AppendRequest& request) {
  EVERFOLD_CHECK(words.size() == 4 + request.streams.size());
  AppendResult result;
  result.sequence = Sequence(Number(words[2]));
  result.repeated = words[3] == "repeated";
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    result.streams.push_back(
        {.stream = request.streams[i].stream, .version = Version(Number(words[4 + i])), .position = {}});
  }
  return result;
}

}  // namespace

EmbeddedLogOptions LogToKill(const std::string& directory, std::uint64_t seed) {
  EmbeddedLogOptions options;
  options.directory = directory + "/log";
  options.partitions = 4;
  options.reserved_bytes = 0;
  options.paranoid = seed % 4 == 0;
  options.journal_file_bytes = 32 << 10;
  options.max_journal_files = 4;
  options.seal_files = 1;
  return options;
}

EventStoreOptions StoreToKill(const std::string& directory) {
  EventStoreOptions options;
  options.index.files = &PosixFiles();
  options.index.directory = directory + "/index";
  options.index.max_memory_bytes = 32 << 10;
  return options;
}

AppendRequest AppendToKill(std::uint64_t seed, std::uint64_t number) {
  if (number / kAppendsOfAChain % 2 == 0) return LinkOfChain(number);
  SeededRandom random(seed * 1'000'003 + number);
  return RandomAppend(random, number);
}

std::string DoneLine(std::uint64_t number, const AppendResult& result) {
  std::string line =
      absl::StrCat("done ", number, " ", result.sequence.value(), result.repeated ? " repeated" : " first");
  for (const StreamResult& stream : result.streams) absl::StrAppend(&line, " ", stream.version.value());
  return line;
}

std::string RefusedLine(std::uint64_t number, const absl::Status& status) {
  return absl::StrCat("refused ", number, " ", static_cast<int>(status.code()), " ", ReasonOf(status), " ",
                      status.message());
}

bool IsAnswer(const std::string& line) { return absl::StartsWith(line, "done ") || absl::StartsWith(line, "refused "); }

ToldAnswer ParseAnswer(const std::string& line, std::uint64_t seed) {
  if (absl::StartsWith(line, "done ")) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    const std::uint64_t number = Number(words[1]);
    return {number, ResultOf(words, AppendToKill(seed, number))};
  }
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 4));
  EVERFOLD_CHECK(words.size() == 5);
  return {Number(words[1]), Error(static_cast<absl::StatusCode>(Number(words[2])), words[3].c_str(), words[4])};
}

}  // namespace everfold
