#include "everfold/store/export/import_commits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/store/export/message_json.h"
#include "tests/unit/store/exported_store.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

using Lines = std::vector<std::string>;

// With the clock that an import needs.
class Importing : public ExportedStore {
 public:
  explicit Importing(std::uint32_t partitions) : ExportedStore(partitions, absl::InfinitePast()) {}
};

// A small file as another program may write it.
Lines Small() {
  return {R"({"header": {"format_version": 1}})",
          R"({"commit": {"sequence": 1, "recorded_at": "2026-01-01T00:00:00Z", "command": {"type": "t", "id": "c1"},)"
          R"( "streams": [{"stream": "page/p1", "first_version": 1, "events": [{"type": "any", "payload": "YQ"}]}]}})",
          R"({"commit": {"sequence": 2, "recorded_at": "2026-01-01T02:00:00+01:00",)"
          R"( "streams": [{"stream": "page/p1", "first_version": 2, "events": [{"type": "any"}, {"type": "any"}]}]}})",
          R"({"end": {"commits": 2, "events": 3}})"};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ImportCommits, MakesTheSameStoreOfAnotherNumberOfPartitions) {
  ExportedStore exported(4);
  exported.AppendSamples(400);
  const Lines lines = exported.Export();
  for (const std::uint32_t partitions : {1u, 4u, 7u, 64u}) {
    Importing imported(partitions);
    const auto counts = ImportLines(lines, imported.store());
    ASSERT_EQ(counts.status(), absl::OkStatus());
    EXPECT_EQ(counts->commits, 400u);
    Lines again = imported.Export();
    ASSERT_THAT(again, SizeIs(lines.size()));
    EXPECT_THAT(again[0], HasSubstr(absl::StrFormat("\"partitions\":%d", partitions)));
    again[0] = lines[0];  // names epoch and partitions
    EXPECT_EQ(again, lines);
    const auto report = imported.store().Verify({});
    ASSERT_EQ(report.status(), absl::OkStatus());
    EXPECT_EQ(report->status(), absl::OkStatus());
  }
}

TEST(ImportCommits, MakesTheSameStoreWithOneAppendAtATime) {
  ExportedStore exported(4);
  exported.AppendSamples(50);
  const Lines lines = exported.Export();
  for (const ImportOptions& options :
       {ImportOptions{.max_commits_on_the_way = 1}, ImportOptions{.max_bytes_on_the_way = 1}}) {
    Importing imported(4);
    ASSERT_EQ(ImportLines(lines, imported.store(), options).status(), absl::OkStatus());
    EXPECT_EQ(imported.Export(), lines);
  }
}

TEST(ImportCommits, MakesAnEmptyStore) {
  Importing imported(4);
  const auto counts = ImportLines(ExportedStore(2).Export(), imported.store());
  ASSERT_EQ(counts.status(), absl::OkStatus());
  EXPECT_EQ(counts->commits, 0u);
  EXPECT_EQ(imported.store().DurableSequence(), Sequence(0));
}

TEST(ImportCommits, ARepeatOfAnImportedCommandIsToldByItsIdAlone) {
  ExportedStore exported(4);
  AppendRequest request;
  request.command = {.type = "test.v1.Write", .id = "c1", .fingerprint = "of the old store's key"};
  NewEvent event;
  event.type = "test.v1.Written";
  request.streams.push_back({.stream = {"", "page", "p1"}, .events = {event}});
  const AppendResult first = exported.Append(request);
  Importing imported(8);
  ASSERT_EQ(ImportLines(exported.Export(), imported.store()).status(), absl::OkStatus());
  request.command.fingerprint = "of the new store's key";
  const AppendResult again = imported.Append(request);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(again.recorded_at, first.recorded_at);
  EXPECT_EQ(again.streams[0].version, Version(1));
}

// The old store had forgotten the first one, of a month before. Both are on their way at once.
TEST(ImportCommits, RecordsACommandIdTwiceThatWasRecordedTwice) {
  AppendRequest request;
  request.command = {.type = "test.v1.Write", .id = "c1", .fingerprint = {}};
  request.streams.push_back({.stream = {"", "page", "p1"}, .events = {}});
  request.streams[0].events.push_back(
      {.type = "test.v1.Written", .fingerprint = {}, .payload = {}, .event_time = {}, .tags = {}});
  ExportedStore exported(4);
  exported.Append(request);
  exported.clock().Advance(absl::Hours(24 * 30));
  AppendRequest other = request;
  other.command.id = "c2";
  exported.Append(other);
  const AppendResult second = exported.Append(request);
  ASSERT_FALSE(second.repeated);
  const Lines lines = exported.Export();
  Importing imported(4);
  ASSERT_EQ(ImportLines(lines, imported.store()).status(), absl::OkStatus());
  EXPECT_EQ(imported.Export(), lines);
  EXPECT_EQ(imported.store().Verify({})->status(), absl::OkStatus());
  const AppendResult repeat = imported.Append(request);
  EXPECT_TRUE(repeat.repeated);
  EXPECT_EQ(repeat.sequence, second.sequence);
}

// As a store has it that remembered ids for a shorter time.
TEST(ImportCommits, TheLaterOfTwoWithinTheRetentionIsTheOneThatIsRepeated) {
  Lines lines = Small();
  lines[2] = Replaced(lines[2], "\"streams\"", "\"command\": {\"type\": \"t\", \"id\": \"c1\"}, \"streams\"");
  for (const std::size_t on_the_way : {std::size_t{1}, std::size_t{100}}) {
    Importing imported(4);
    ASSERT_EQ(ImportLines(lines, imported.store(), {.max_commits_on_the_way = on_the_way}).status(), absl::OkStatus());
    EXPECT_EQ(imported.store().Verify({})->status(), absl::OkStatus());
    const auto known = imported.store().FindCommand("", {.type = "t", .id = "c1", .fingerprint = {}});
    ASSERT_EQ(known.status(), absl::OkStatus());
    ASSERT_TRUE(known->has_value());
    EXPECT_EQ((*known)->sequence, Sequence(2));
  }
}

TEST(ImportCommits, TellsHowFarItIs) {
  ExportedStore exported(4);
  exported.AppendSamples(10);
  ImportOptions options;
  ImportProgress last;
  options.on_progress = [&last](const ImportProgress& progress) { last = progress; };
  Importing imported(4);
  ASSERT_EQ(ImportLines(exported.Export(), imported.store(), options).status(), absl::OkStatus());
  EXPECT_EQ(last.commits, 10u);
  EXPECT_EQ(last.total, 10u);
}

std::string RefusalOf(const Lines& lines) {
  Importing imported(4);
  const auto counts = ImportLines(lines, imported.store());
  EXPECT_TRUE(absl::IsInvalidArgument(counts.status())) << counts.status();
  return std::string(counts.status().message());
}

// The small file with another line.
std::string RefusalWith(std::size_t line, const std::string& text) {
  Lines lines = Small();
  lines[line - 1] = text;
  return RefusalOf(lines);
}
std::string RefusalWith(std::size_t line, const std::string& from, const std::string& to) {
  return RefusalWith(line, Replaced(Small()[line - 1], from, to));
}

TEST(ImportCommits, TakesWhatAnotherProgramWrote) {
  Importing imported(4);
  const auto counts = ImportLines(Small(), imported.store());
  ASSERT_EQ(counts.status(), absl::OkStatus());
  EXPECT_EQ(counts->events, 3u);
  EXPECT_EQ(imported.store().VersionOf(StreamId{"", "page", "p1"}).value(), Version(3));
}

TEST(ImportCommits, RefusesAFileThatWasCut) {
  EXPECT_EQ(RefusalOf({}), "line 1: the file is empty");
  const Lines whole = Small();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(RefusalOf(Lines(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
              absl::StrFormat("line %d: the file ends after %d commits, without its end line: it was cut", size + 1,
                              size - 1));
  }
  for (std::size_t line = 1; line <= whole.size(); ++line) {
    const std::string& text = whole[line - 1];
    EXPECT_THAT(RefusalWith(line, text.substr(0, text.size() - 1)),
                HasSubstr(absl::StrFormat("line %d: is no everfold.v1.ExportLine: ", line)));
  }
}

TEST(ImportCommits, RefusesWhatIsNoExport) {
  EXPECT_THAT(RefusalWith(1, "# Notes"), HasSubstr("line 1: is no everfold.v1.ExportLine: "));
  EXPECT_EQ(RefusalWith(1, Small()[3]), "line 1: an export begins with its header");
  EXPECT_EQ(RefusalWith(1, "{}"), "line 1: an export begins with its header");
  EXPECT_EQ(RefusalWith(2, "{}"), "line 2: the line says nothing");
  EXPECT_EQ(RefusalWith(2, Small()[0]), "line 2: a second header");
  EXPECT_THAT(RefusalWith(2, ""), HasSubstr("line 2: is no everfold.v1.ExportLine: "));
  EXPECT_THAT(RefusalWith(2, "\"page/p1\"", "\"page/p1\", \"colour\": 1"), HasSubstr("colour"));
  EXPECT_THAT(RefusalWith(2, "\"YQ\"", "\"Y!Q\""), HasSubstr("Y!Q"));
  EXPECT_EQ(RefusalWith(2, R"({"descriptors": {"fileDescriptorSet": "/w=="}})"),
            "line 2: file_descriptor_set is no serialized google.protobuf.FileDescriptorSet");
  EXPECT_EQ(RefusalWith(3, R"({"descriptors": {}})"), "line 3: descriptors stand before all commits");
}

TEST(ImportCommits, RefusesAFormatThatItDoesNotKnow) {
  for (const char* const header : {R"({"header": {"format_version": 2}})", R"({"header": {}})"}) {
    Importing imported(1);
    const auto counts = ImportLines({header}, imported.store());
    EXPECT_TRUE(absl::IsInvalidArgument(counts.status()));
    EXPECT_EQ(ReasonOf(counts.status()), reason::kFormatUnknown);
    EXPECT_THAT(std::string(counts.status().message()), HasSubstr("which reads 1"));
  }
}

TEST(ImportCommits, RefusesNumbersThatDoNotFollow) {
  EXPECT_EQ(RefusalWith(3, "\"sequence\": 2", "\"sequence\": 1"), "line 3: commit 1 stands where commit 2 has to");
  EXPECT_EQ(RefusalWith(3, "\"sequence\": 2", "\"sequence\": 3"), "line 3: commit 3 stands where commit 2 has to");
  EXPECT_EQ(RefusalWith(2, "\"sequence\": 1,", ""), "line 2: commit 0 stands where commit 1 has to");
  EXPECT_EQ(RefusalWith(3, "\"first_version\": 2", "\"first_version\": 3"),
            "line 3: page/p1: expected version 2, it is at version 1");
  EXPECT_EQ(RefusalWith(2, "\"first_version\": 1,", ""),
            "line 2: the first_version of page/p1 is missing, or 0; versions begin with 1");
  EXPECT_EQ(RefusalWith(4, "\"commits\": 2", "\"commits\": 3"),
            "line 4: the end counts 3 commits with 3 events, but there are 2 with 3");
  EXPECT_EQ(RefusalWith(4, "\"events\": 3", "\"events\": 4"),
            "line 4: the end counts 2 commits with 4 events, but there are 2 with 3");
  EXPECT_EQ(RefusalWith(1, "\"format_version\": 1", "\"format_version\": 1, \"last_sequence\": 3"),
            "line 4: the header tells of 3 commits, but there are 2");
}

TEST(ImportCommits, RefusesWhatStandsBehindTheEnd) {
  for (const std::string& more : {Small()[3], std::string()}) {
    Lines lines = Small();
    lines.push_back(more);
    EXPECT_EQ(RefusalOf(lines), "line 5: something stands behind the end line");
  }
}

TEST(ImportCommits, RefusesTimesThatAStoreWouldNotKeep) {
  EXPECT_EQ(RefusalWith(3, "2026-01-01T02:00:00", "2025-12-31T23:59:59"),
            "line 3: commit 2 was recorded before the one before it");
  EXPECT_EQ(RefusalWith(2, "00:00:00Z", "00:00:00.0000001Z"),
            "line 2: recorded_at is finer than a microsecond: 2026-01-01T00:00:00.0000001+00:00");
  EXPECT_EQ(RefusalWith(2, "\"payload\"", "\"event_time\": \"2026-01-01T00:00:00.000000001Z\", \"payload\""),
            "line 2: event_time is finer than a microsecond: 2026-01-01T00:00:00.000000001+00:00");
  EXPECT_EQ(RefusalWith(2, "\"recorded_at\": \"2026-01-01T00:00:00Z\",", ""), "line 2: recorded_at is missing");
}

TEST(ImportCommits, RefusesTimesFarAheadOfTheClock) {
  const absl::Time second = absl::FromUnixSeconds(1'767'229'200);  // 2026-01-01T01:00:00Z
  for (const absl::Duration late : {absl::ZeroDuration(), absl::Microseconds(1)}) {
    Importing imported(1);
    const ImportOptions options{.now = second - kMaxImportedAhead - late};
    const auto counts = ImportLines(Small(), imported.store(), options);
    if (late == absl::ZeroDuration()) {
      EXPECT_EQ(counts.status(), absl::OkStatus());
      continue;
    }
    EXPECT_TRUE(absl::IsInvalidArgument(counts.status())) << counts.status();
    EXPECT_EQ(ReasonOf(counts.status()), reason::kLimitExceeded);
    EXPECT_EQ(std::string(counts.status().message()),
              "line 3: recorded_at may be at most 24h ahead of the clock, which is until "
              "2026-01-01T00:59:59.999999+00:00; it is 2026-01-01T01:00:00+00:00");
  }
}

// What stands in a bad line may be anything, and is shown at a terminal.
TEST(ImportCommits, ShowsNothingOfABadLineThatATerminalObeys) {
  const std::string orders =
      "\x1b[2J\x1b]0;title\x07\r\x9b"
      "31m\xc2\x9b";
  const Lines refused = {
      RefusalWith(2, orders),
      RefusalWith(2, "\"YQ\"", "\"" + orders + "\""),
      RefusalWith(2, "\"any\"", "\"\\u001b[2J\""),
      RefusalWith(2, "\"page/p1\"", "\"\\u001b[2J\""),
      RefusalWith(2, "\"page/p1\"", "\"page/\\u001b[2J\""),
      RefusalWith(2, "\"page/p1\", \"first_version\": 1", "\"page/\\u001b[2J\", \"first_version\": 0"),
      RefusalWith(2, "\"page/p1\"", "\"page/\\u001b[2J\", \"erased_events\": 1"),
      RefusalWith(2, "\"streams\"", "\"metadata\": {\"actor\": \"\\u001b[2J\"}, \"streams\""),
      RefusalWith(2, "\"page/p1\"", "\"page/p1\", \"\\u001b[2J\": 1"),
      RefusalWith(2, "\"YQ\"", "\"!" + std::string(5'000, 'x') + "\""),
  };
  for (const std::string& message : refused) {
    EXPECT_THAT(message, ::testing::StartsWith("line 2: "));
    EXPECT_LT(message.size(), 500u) << message;
    for (const char c : message) EXPECT_TRUE(c >= ' ' && c < 0x7f) << message;
  }
}

TEST(ImportCommits, RefusesWhatNoStoreWouldTake) {
  const std::string large(1'500'000, 'A');  // base64 of more than 1 MiB
  EXPECT_THAT(RefusalWith(2, "\"YQ\"", "\"" + large + "\""),
              HasSubstr("line 2: bytes of an event: at most 1048576, there are "));
  EXPECT_THAT(RefusalWith(2, "page/p1", "page"), HasSubstr("line 2: "));
  EXPECT_THAT(RefusalWith(2, "page/p1", "Page/p1"), HasSubstr("line 2: "));
  EXPECT_THAT(RefusalWith(2, "\"any\"", "\"\""), HasSubstr("line 2: an event's type"));
  EXPECT_THAT(RefusalWith(2, "\"type\": \"t\", ", ""), HasSubstr("line 2: a command id needs the command's type"));
  EXPECT_EQ(RefusalWith(2, R"({"commit": {"sequence": 1, "recorded_at": "2026-01-01T00:00:00Z"}})"),
            "line 2: an append names at least one stream");
  EXPECT_EQ(RefusalWith(2, "\"first_version\"", "\"erased_events\": 1, \"first_version\""),
            "line 2: page/p1 has erased_events, and its commit is not erased");
}

TEST(ImportCommits, RefusesErasedCommits) {
  ExportedStore exported(1);
  exported.AppendSamples(3);
  ExportedStore erased(ChangedCopy(exported.storage(), [](PartitionId, const std::string& chunk) {
    const auto with = WithTombstone(chunk, Sequence(2), "asked to");
    return with.ok() ? *with : chunk;
  }));
  EXPECT_EQ(RefusalOf(erased.Export()),
            "line 4: the commit was erased, and a store cannot be given events that are gone; a backup has the log as "
            "it is");
}

TEST(ImportCommits, TellsTheFirstLineThatIsWrong) {
  ExportedStore exported(4);
  exported.AppendSamples(2000);
  Lines lines = exported.Export();
  // Refused by the store, while the lines behind it are read and appended.
  lines[1500] = Replaced(lines[1500], "\"firstVersion\":\"", "\"firstVersion\":\"7");
  lines[1900] = "{";
  EXPECT_THAT(RefusalOf(lines), HasSubstr("line 1501: "));
}

TEST(ImportCommits, PassesOnThatItCannotRead) {
  Importing imported(1);
  int lines = 0;
  auto reader = ExportReader::Open([&lines](std::string& line) -> absl::StatusOr<bool> {
    if (++lines > 2) return absl::InternalError("the disk said no");
    line = Small()[static_cast<std::size_t>(lines) - 1];
    return true;
  });
  ASSERT_EQ(reader.status(), absl::OkStatus());
  EXPECT_EQ(ImportCommits(**reader, imported.store(), {}).status(), absl::InternalError("line 3: the disk said no"));
}

TEST(ImportCommits, NeedsAClockThatIsBehind) {
  ExportedStore ahead(1, absl::FromUnixSeconds(1'900'000'000));
  const auto counts = ImportLines(Small(), ahead.store());
  EXPECT_TRUE(absl::IsInternal(counts.status()));
  EXPECT_THAT(std::string(counts.status().message()),
              HasSubstr("line 2: commit 1, of 2026-01-01T00:00:00+00:00, became"));
}

}  // namespace
}  // namespace everfold
