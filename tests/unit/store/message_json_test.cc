#include "everfold/store/export/message_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/v1/export.pb.h"
#include "everfold/v1/money.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace everfold {
namespace {

using testing::HasSubstr;

std::string Refusal(std::string_view json) {
  MessageJson converter;
  v1::ExportLine line;
  const absl::Status status = converter.Read(json, line);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(MessageJson, WritesAndReadsAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  MessageJson converter;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    v1::ExportedEvent event;
    event.set_payload(bytes.substr(0, size));
    const auto json = converter.Write(event);
    ASSERT_EQ(json.status(), absl::OkStatus());
    v1::ExportedEvent read;
    ASSERT_EQ(converter.Read(*json, read), absl::OkStatus());
    EXPECT_EQ(read.payload(), event.payload());
  }
}

TEST(MessageJson, WritesEqualMessagesAlike) {
  MessageJson converter;
  std::string first;
  for (int i = 0; i < 20; ++i) {
    v1::ExportedMetadata metadata;
    for (int k = 0; k < 20; ++k) (*metadata.mutable_headers())[std::to_string((k * 7 + i) % 20)] = "x";
    const auto json = converter.Write(metadata);
    ASSERT_EQ(json.status(), absl::OkStatus());
    if (i == 0) first = *json;
    EXPECT_EQ(*json, first);
  }
}

TEST(MessageJson, WritesTimesAsPeopleReadThem) {
  v1::ExportedEvent event;
  event.mutable_event_time()->set_seconds(1'800'000'000);
  event.mutable_event_time()->set_nanos(123'000);
  EXPECT_EQ(MessageJson().Write(event).value(), R"({"eventTime":"2027-01-15T08:00:00.000123Z"})");
}

TEST(MessageJson, RefusesWhatIsNoSuchMessage) {
  EXPECT_THAT(Refusal(""), HasSubstr("is no everfold.v1.ExportLine: "));
  EXPECT_THAT(Refusal("{"), HasSubstr("is no everfold.v1.ExportLine: "));
  EXPECT_THAT(Refusal("[]"), HasSubstr("is no everfold.v1.ExportLine: "));
  EXPECT_THAT(Refusal("{} {}"), HasSubstr("is no everfold.v1.ExportLine: "));
  EXPECT_THAT(Refusal(R"({"comit":{}})"), HasSubstr("comit"));
  EXPECT_THAT(Refusal(R"({"commit":{"sequence":"1x"}})"), HasSubstr("1x"));
  EXPECT_THAT(Refusal(R"({"commit":{"recordedAt":"yesterday"}})"), HasSubstr("yesterday"));
  EXPECT_THAT(Refusal(R"({"header":{"epoch":"!!!"}})"), HasSubstr("!!!"));
  EXPECT_THAT(Refusal(R"({"header":{},"end":{}})"), HasSubstr("is no everfold.v1.ExportLine: "));
  EXPECT_THAT(Refusal("{\"header\":{\"application\":\"\xff\"}}"), HasSubstr("is no everfold.v1.ExportLine: "));
}

TEST(MessageJson, ShowsAPayloadWhoseTypeIsKnown) {
  v1::Money money;
  money.set_currency("EUR");
  money.set_minor(-5);
  MessageJson converter;
  google::protobuf::Struct value;
  ASSERT_TRUE(converter.ToStruct("everfold.v1.Money", money.SerializeAsString(), value));
  EXPECT_EQ(value.fields().at("currency").string_value(), "EUR");
  EXPECT_EQ(value.fields().at("minor").string_value(), "-5");
}

// A Struct in a Struct, and so on; made from the innermost one, as no library would do it.
std::string NestedStruct(int levels) {
  std::string bytes;
  const auto wrap = [&bytes](char field) {
    std::string length;
    for (std::size_t rest = bytes.size();; rest >>= 7) {
      length += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      if (rest <= 0x7f) break;
    }
    bytes = std::string(1, field) + length + bytes;
  };
  for (int i = 1; i < levels; ++i) {
    wrap(0x2a);  // Value.struct_value
    wrap(0x12);  // the entry's value
    bytes = std::string(
                "\x0a\x01"
                "a") +
            bytes;
    wrap(0x0a);  // Struct.fields
  }
  return bytes;
}

std::string NestedJson(int levels, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += open;
  for (int i = 0; i < levels; ++i) text += close;
  return text;
}

TEST(MessageJson, ShowsAPayloadThatIsNestedAndFitsIntoALine) {
  MessageJson converter;
  for (const int levels : {1, 2, kMaxStructNesting}) {
    v1::ExportLine line;
    v1::ExportedEvent& event = *line.mutable_commit()->add_streams()->add_events();
    ASSERT_TRUE(converter.ToStruct("google.protobuf.Struct", NestedStruct(levels), *event.mutable_json())) << levels;
    const auto json = converter.Write(line);
    ASSERT_EQ(json.status(), absl::OkStatus()) << levels;
    v1::ExportLine read;
    ASSERT_EQ(converter.Read(*json, read), absl::OkStatus()) << levels;
    EXPECT_EQ(read.SerializeAsString(), line.SerializeAsString());
  }
  google::protobuf::Struct value;
  for (const int levels : {kMaxStructNesting + 1, 40, 99, 10'000}) {
    EXPECT_FALSE(converter.ToStruct("google.protobuf.Struct", NestedStruct(levels), value)) << levels;
  }
}

TEST(MessageJson, RefusesWhatIsNestedTooDeep) {
  const std::string begin = R"({"commit":{"streams":[{"events":[{"json":)";
  const std::string end = "}]}]}}";
  for (const int levels : {27, 100, 10'000, 1'000'000}) {
    const std::string text = begin + NestedJson(levels - 1, "{\"a\":", "") + "{}" + std::string(levels - 1, '}') + end;
    EXPECT_EQ(Refusal(text), "is no everfold.v1.ExportLine: it is nested deeper than 32 levels");
    EXPECT_EQ(Refusal(begin + "{\"a\":" + NestedJson(levels - 1, "[", "]") + "}" + end),
              "is no everfold.v1.ExportLine: it is nested deeper than 32 levels");
    EXPECT_THAT(Refusal(NestedJson(levels + 6, "{", "")), HasSubstr("nested deeper"));
  }
  MessageJson converter;
  v1::ExportLine line;
  EXPECT_EQ(converter.Read(begin + NestedJson(25, "{\"a\":", "") + "{}" + std::string(25, '}') + end, line),
            absl::OkStatus());
  // Braces in texts do not count.
  EXPECT_EQ(converter.Read(R"({"header":{"application":"\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{'[[[["}})", line),
            absl::OkStatus());
  EXPECT_EQ(converter.Read(R"({'header':{'application':'"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{[[[['}})", line),
            absl::OkStatus());
}

TEST(MessageJson, ShowsNothingElse) {
  MessageJson converter;
  google::protobuf::Struct value;
  (*value.mutable_fields())["old"].set_bool_value(true);
  EXPECT_FALSE(converter.ToStruct("nobody.Knows", "", value));
  EXPECT_EQ(value.fields_size(), 0);
  EXPECT_FALSE(converter.ToStruct("everfold.v1.Money", "\xff", value));
  EXPECT_FALSE(converter.ToStruct("everfold.v1.Money", "\x0a\x01\xff", value)) << "no UTF-8";
  google::protobuf::Timestamp time;  // is a string in JSON
  EXPECT_FALSE(converter.ToStruct("google.protobuf.Timestamp", time.SerializeAsString(), value));
  EXPECT_EQ(value.fields_size(), 0);
}

}  // namespace
}  // namespace everfold
