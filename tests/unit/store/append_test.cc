#include "everfold/store/append.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

AppendRequest Request() {
  AppendRequest request;
  StreamAppend& stream = request.streams.emplace_back();
  stream.stream = {"", "wallet", "w1"};
  stream.events.push_back(
      {.type = "wallet.v1.Deposited", .fingerprint = {}, .payload = "x", .event_time = {}, .tags = {}});
  return request;
}

void ExpectInvalid(const AppendRequest& request, const std::string& text) {
  const absl::Status status = ValidateAppend(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(ValidateAppend, TakesAWellFormedRequest) { EXPECT_EQ(ValidateAppend(Request()), absl::OkStatus()); }

TEST(ValidateAppend, RefusesNoStream) {
  AppendRequest request = Request();
  request.streams.clear();
  ExpectInvalid(request, "at least one stream");
}

TEST(ValidateAppend, RefusesAStreamNamedTwice) {
  AppendRequest request = Request();
  request.streams.push_back(request.streams[0]);
  ExpectInvalid(request, "names wallet/w1 twice");
}

TEST(ValidateAppend, RefusesAForeignTenant) {
  AppendRequest request = Request();
  request.tenant = "t1";
  ExpectInvalid(request, "belong to its tenant");
}

TEST(ValidateAppend, RefusesAnIdWithNul) {
  AppendRequest request = Request();
  request.streams[0].stream.id = std::string("w\0", 2);
  ExpectInvalid(request, "an id must be printable UTF-8; its bytes are 0x7700");
}

TEST(ValidateAppend, NamesTheLimitAndTheSizeOfAnOversizeEvent) {
  AppendRequest request = Request();
  request.streams[0].events[0].payload.resize(kMaxEventBytes + 1);
  ExpectInvalid(request, "bytes of an event: at most 1048576, there are 1048577");
}

TEST(ValidateAppend, RefusesATimeThatNoTimestampTells) {
  AppendRequest request = Request();
  for (const absl::Time time : {absl::FromUnixSeconds(INT64_MAX), absl::InfinitePast(), absl::InfiniteFuture()}) {
    request.streams[0].events[0].event_time = time;
    ExpectInvalid(request, "an event's time is in the years 1 to 9999");
  }
  request.streams[0].events[0].event_time = absl::FromUnixSeconds(253402300799);
  EXPECT_EQ(ValidateAppend(request), absl::OkStatus());
  request.not_before = absl::InfiniteFuture();
  ExpectInvalid(request, "the earliest recorded time is in the years 1 to 9999");
}

TEST(ValidateAppend, RefusesAFingerprintOfAnotherSize) {
  AppendRequest request = Request();
  for (const std::size_t bytes : {1, 31, 33, 70 << 20}) {
    request.streams[0].events[0].fingerprint = std::string(bytes, 'f');
    ExpectInvalid(request, absl::StrCat("has 32 bytes, or none; this one has ", bytes));
  }
  request.streams[0].events[0].fingerprint = std::string(32, 'f');
  EXPECT_EQ(ValidateAppend(request), absl::OkStatus());
}

TEST(ValidateAppend, RefusesACommandThatIsTooLong) {
  AppendRequest request = Request();
  request.command = {.type = std::string(70 << 20, 't'), .id = "i", .fingerprint = "f"};
  ExpectInvalid(request, "a command's type must have 1 to 500 bytes, it has 73400320");
  request.command.type = std::string("a\0b", 3);
  ExpectInvalid(request, "a command's type must be printable UTF-8");
  request.command = {.type = "t", .id = "i", .fingerprint = std::string(65, 'f')};
  ExpectInvalid(request, "bytes of a request's fingerprint: at most 64, there are 65");
}

TEST(ValidateAppend, RefusesTooManyEvents) {
  AppendRequest request = Request();
  request.streams[0].events.resize(kMaxEventsPerCommit + 1, request.streams[0].events[0]);
  ExpectInvalid(request, "events of an append: at most 1000, there are 1001");
}

TEST(ValidateAppend, RefusesMoreBytesThanACommitMayHave) {
  AppendRequest request = Request();
  request.streams[0].events[0].payload.resize(kMaxEventBytes);
  request.streams[0].events.resize(9, request.streams[0].events[0]);
  ExpectInvalid(request, "bytes of an append: at most 8388608, there are 9437184");
}

TEST(ValidateAppend, RefusesTooManyTags) {
  AppendRequest request = Request();
  request.streams[0].events[0].tags.resize(kMaxTagsPerEvent + 1, "tag");
  ExpectInvalid(request, "tags of an event: at most 20, there are 21");
}

TEST(ValidateAppend, RefusesOversizeMetadata) {
  AppendRequest request = Request();
  request.metadata.headers["h"] = std::string(kMaxMetadataBytes, 'x');
  ExpectInvalid(request, "bytes of metadata: at most 16384, there are 16385");
}

TEST(ValidateAppend, RefusesIdsThatNobodyCanPrint) {
  AppendRequest request = Request();
  for (const std::string& id : {std::string("w\n1"), std::string("w\x7f"), std::string("w\xff"),
                                std::string("\xc0\x80"), std::string("\xed\xa0\x80"), std::string("w\xe2\x80\xae")}) {
    request.streams[0].stream.id = id;
    ExpectInvalid(request, "an id must be printable UTF-8");
  }
  request.streams[0].stream.id = std::string(201, 'w');
  ExpectInvalid(request, "an id must have 1 to 200 bytes, it has 201");
  request.streams[0].stream.id = "";
  ExpectInvalid(request, "an id must have 1 to 200 bytes, it has 0");
}

TEST(ValidateAppend, RefusesOtherNamesOfAggregatesAndTenants) {
  AppendRequest request = Request();
  request.streams[0].stream.aggregate = "Wallet";
  ExpectInvalid(request, "an aggregate's name must match [a-z][a-z0-9_]{0,63}; it is \"Wallet\"");
  request = Request();
  request.tenant = request.streams[0].stream.tenant = std::string(65, 't');
  ExpectInvalid(request, "a tenant must have 1 to 64 bytes, it has 65");
}

TEST(ValidateAppend, RefusesTypesAndTagsThatAreNone) {
  AppendRequest request = Request();
  request.streams[0].events[0].type = "";
  ExpectInvalid(request, "an event's type must have 1 to 500 bytes, it has 0");
  request.streams[0].events[0].type = std::string("a\0b", 3);
  ExpectInvalid(request, "an event's type must be printable UTF-8");
  request = Request();
  request.streams[0].events[0].tags = {std::string(201, 't')};
  ExpectInvalid(request,
                "...\" of an event " + request.streams[0].events[0].type + " must have 1 to 200 bytes, it has 201");
  request.streams[0].events[0].tags = {"\t"};
  ExpectInvalid(request, "the tag \"\\t\" of an event " + request.streams[0].events[0].type +
                             " must be printable UTF-8; its bytes are 0x09");
}

TEST(ValidateAppend, RefusesMetadataThatNobodyCanPrint) {
  AppendRequest request = Request();
  request.metadata.actor = "a\xff";
  ExpectInvalid(request, "an actor must be printable UTF-8; its bytes are 0x61ff");
  request = Request();
  request.metadata.headers["h"] = std::string("\0", 1);
  ExpectInvalid(request, "a header must be printable UTF-8; its bytes are 0x00");
}

TEST(ValidateAppend, RefusesTooManyStreams) {
  AppendRequest request = Request();
  request.streams.resize(kMaxStreamsPerCommit + 1, request.streams[0]);
  ExpectInvalid(request, "streams of an append: at most 100, there are 101");
}

TEST(ValidateAppend, LeavesTheFrameworksOwnNamesToIt) {
  AppendRequest stream = Request();
  stream.streams[0].stream.aggregate = "$schema";
  AppendRequest type = Request();
  type.streams[0].events[0].type = "$schema";
  for (AppendRequest* request : {&stream, &type}) {
    const absl::Status refused = ValidateAppend(*request);
    EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(ReasonOf(refused), reason::kReservedName);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("the framework's own: $schema"));
    request->of_framework = true;
    EXPECT_EQ(ValidateAppend(*request), absl::OkStatus());
  }
}

TEST(ValidateAppend, RefusesNoEventWithoutACommandId) {
  AppendRequest request = Request();
  request.streams[0].events.clear();
  ExpectInvalid(request, "needs a command id");
  request.command = {.type = "wallet.v1.Deposit", .id = "r1", .fingerprint = {}};
  EXPECT_EQ(ValidateAppend(request), absl::OkStatus());
}

TEST(ValidateAppend, RefusesAnOverlongCommandId) {
  AppendRequest request = Request();
  request.command = {.type = "wallet.v1.Deposit", .id = std::string(201, 'r'), .fingerprint = {}};
  ExpectInvalid(request, "a command id (request_id) must have 1 to 200 bytes, it has 201");
}

}  // namespace
}  // namespace everfold
