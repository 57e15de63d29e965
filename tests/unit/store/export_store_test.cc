#include "everfold/store/export/export_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/event/chunk_writer.h"
#include "everfold/store/export/message_json.h"
#include "everfold/v1/export.pb.h"
#include "everfold/v1/money.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "tests/unit/store/exported_store.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

v1::ExportLine Parsed(const std::string& line) {
  v1::ExportLine message;
  EXPECT_EQ(MessageJson().Read(line, message), absl::OkStatus()) << line;
  return message;
}

NewEvent AMoney(const char* payload) {
  NewEvent event;
  event.type = "everfold.v1.Money";
  event.payload = payload;
  return event;
}

TEST(ExportStore, WritesAnEmptyStore) {
  ExportedStore exported(3);
  ExportOptions options;
  options.application = "wallet";
  EXPECT_THAT(exported.Export(options), ElementsAre(R"({"header":{"formatVersion":1,"application":"wallet",)"
                                                    R"("epoch":"MDEyMzQ1Njc4OWFiY2RlZg==","partitions":3}})",
                                                    R"({"end":{}})"));
}

TEST(ExportStore, WritesEverythingOfACommit) {
  ExportedStore exported(4);
  AppendRequest request;
  request.tenant = "acme";
  request.command = {.type = "test.v1.Write", .id = "c1", .fingerprint = "secret"};
  request.metadata.actor = "somebody";
  NewEvent event = AMoney(
      "\x0a\x03"
      "EUR");
  event.event_time = exported.clock().Now() - absl::Seconds(1);
  event.tags = {"t1", "t2"};
  NewEvent unknown;
  unknown.type = "nobody.Knows";
  unknown.payload = "\xff";
  request.streams.push_back({.stream = {"acme", "page", "p1"}, .events = {event, unknown}});
  exported.Append(request);
  const auto lines = exported.Export();
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[2], R"({"commit":{"sequence":"1","recordedAt":"2027-01-15T08:00:00Z","tenant":"acme",)"
                      R"("command":{"type":"test.v1.Write","id":"c1"},"metadata":{"actor":"somebody"},)"
                      R"("streams":[{"stream":"page/p1","firstVersion":"1","events":[)"
                      R"({"type":"everfold.v1.Money","eventTime":"2027-01-15T07:59:59Z","tags":["t1","t2"],)"
                      R"("payload":"CgNFVVI=","json":{"currency":"EUR"}},)"
                      R"({"type":"nobody.Knows","payload":"/w=="}]}]}})");
  EXPECT_EQ(lines[3], R"({"end":{"commits":"1","events":"2"}})");
}

TEST(ExportStore, LeavesOutWhatPeopleReadIfItIsToldTo) {
  ExportedStore exported(4);
  AppendRequest request;
  request.streams.push_back({.stream = {"", "page", "p1"},
                             .events = {AMoney("\x0a\x03"
                                               "EUR")}});
  exported.Append(request);
  ExportOptions options;
  options.json = false;
  const auto lines = exported.Export(options);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[2], testing::Not(testing::HasSubstr("json")));
}

TEST(ExportStore, LeavesItOutOfALargeCommit) {
  ExportedStore exported(1);
  for (const std::size_t bytes : {kMaxBytesWithJson, kMaxBytesWithJson + 1}) {
    v1::Money money;
    money.set_currency(std::string(bytes - 4, '\x01'));  // six bytes each in JSON
    AppendRequest request;
    request.streams.push_back({.stream = {"", "page", "p1"}, .events = {AMoney("")}});
    request.streams[0].events[0].payload = money.SerializeAsString();
    ASSERT_EQ(request.streams[0].events[0].payload.size(), bytes);
    exported.Append(request);
  }
  const auto lines = exported.Export();
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_TRUE(Parsed(lines[2]).commit().streams(0).events(0).has_json());
  EXPECT_FALSE(Parsed(lines[3]).commit().streams(0).events(0).has_json());
}

TEST(ExportStore, LetsAReaderDecodeWithWhatIsInTheFile) {
  ExportedStore exported(4);
  AppendRequest request;
  request.streams.push_back({.stream = {"", "page", "p1"},
                             .events = {AMoney("\x0a\x03"
                                               "EUR\x10\x07")}});
  exported.Append(request);
  google::protobuf::FileDescriptorSet set;
  const auto lines = exported.Export();
  ASSERT_TRUE(set.ParseFromString(Parsed(lines[1]).descriptors().file_descriptor_set()));
  google::protobuf::DescriptorPool pool;
  for (const auto& file : set.file()) ASSERT_NE(pool.BuildFile(file), nullptr) << file.name();
  const v1::ExportLine line = Parsed(lines[2]);
  const auto& event = line.commit().streams(0).events(0);
  const auto* const type = pool.FindMessageTypeByName(event.type());
  ASSERT_NE(type, nullptr);
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(type)->New());
  ASSERT_TRUE(message->ParseFromString(event.payload()));
  EXPECT_EQ(message->GetReflection()->GetInt64(*message, type->FindFieldByName("minor")), 7);
}

TEST(ExportStore, SaysWhichCommitsAreErased) {
  ExportedStore exported(1);
  exported.AppendSamples(3);
  ExportedStore erased(ChangedCopy(exported.storage(), [](PartitionId, const std::string& chunk) {
    const auto with = WithTombstone(chunk, Sequence(2), "asked to");
    return with.ok() ? *with : chunk;
  }));
  std::vector<std::string> lines;
  const auto counts = ExportStore(erased.store(), {}, [&lines](std::string_view line) {
    lines.emplace_back(line);
    return absl::OkStatus();
  });
  ASSERT_EQ(counts.status(), absl::OkStatus());
  EXPECT_EQ(counts->commits, 3u);
  EXPECT_EQ(counts->erased_commits, 1u);
  const v1::ExportLine before = Parsed(exported.Export()[3]);
  const v1::ExportLine after = Parsed(lines[3]);
  EXPECT_TRUE(after.commit().erased());
  ASSERT_EQ(after.commit().streams_size(), before.commit().streams_size());
  for (int i = 0; i < after.commit().streams_size(); ++i) {
    const v1::ExportedStream& was = before.commit().streams(i);
    EXPECT_EQ(after.commit().streams(i).stream(), was.stream());
    EXPECT_EQ(after.commit().streams(i).events_size(), 0);
    EXPECT_EQ(after.commit().streams(i).erased_events(), static_cast<std::uint64_t>(was.events_size()));
  }
}

TEST(ExportStore, EndsWithTheFirstErrorOfItsWriter) {
  ExportedStore exported(1);
  exported.AppendSamples(10);
  int lines = 0;
  const auto counts = ExportStore(exported.store(), {}, [&lines](std::string_view) {
    return ++lines == 5 ? absl::ResourceExhaustedError("no room") : absl::OkStatus();
  });
  EXPECT_EQ(counts.status(), absl::ResourceExhaustedError("no room"));
  EXPECT_EQ(lines, 5);
}

TEST(ExportStore, TellsHowFarItIs) {
  ExportedStore exported(4);
  exported.AppendSamples(10);
  ExportOptions options;
  ExportProgress last;
  options.on_progress = [&last](const ExportProgress& progress) { last = progress; };
  const auto lines = exported.Export(options);
  EXPECT_EQ(last.events, Parsed(lines.back()).end().events());
  EXPECT_EQ(last.total, last.events);
}

}  // namespace
}  // namespace everfold
