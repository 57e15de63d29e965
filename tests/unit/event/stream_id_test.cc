#include "everfold/event/stream_id.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::HasSubstr;

absl::Status ValidateId(std::string_view id) { return ValidateStreamId({"", "wallet", std::string(id)}); }
absl::Status ValidateAggregate(std::string_view name) { return ValidateStreamId({"", std::string(name), "w1"}); }

void ExpectRefused(const absl::Status& status, const char* reason, const std::string& text) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(StreamId, ReadsAsAggregateAndId) {
  EXPECT_EQ((StreamId{"acme", "wallet", "w1"}).ToString(), "wallet/w1");
  EXPECT_EQ(ParseStreamId("wallet/w1", "acme").value(), (StreamId{"acme", "wallet", "w1"}));
  EXPECT_EQ(ParseStreamId("wallet/a/b").value(), (StreamId{"", "wallet", "a/b"}));
}

TEST(StreamId, ATextWithoutASlashIsNoStream) {
  ExpectRefused(ParseStreamId("wallet").status(), reason::kRequestInvalid, "\"wallet\" has no '/'");
}

TEST(StreamId, AnErrorQuotesNoControlCharactersAndNoLongTexts) {
  const std::string message(ParseStreamId("a\nb\x1b" + std::string(100'000, 'x')).status().message());
  EXPECT_THAT(message, HasSubstr("a\\nb\\033xxx"));
  EXPECT_LT(message.size(), 500u);
}

TEST(ValidateStreamId, TakesWhatTheGlossaryAllows) {
  EXPECT_EQ(ValidateAggregate("w"), absl::OkStatus());
  EXPECT_EQ(ValidateAggregate("order_item2"), absl::OkStatus());
  EXPECT_EQ(ValidateAggregate("$schema"), absl::OkStatus());
  EXPECT_EQ(ValidateAggregate(std::string(64, 'a')), absl::OkStatus());
  EXPECT_EQ(ValidateId("w"), absl::OkStatus());
  EXPECT_EQ(ValidateId(std::string(200, 'w')), absl::OkStatus());
  EXPECT_EQ(ValidateId("{ann}/a b'\"\\;%_../"), absl::OkStatus());
  EXPECT_EQ(ValidateId("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80 \xd8\xb9\xd8\xb1"), absl::OkStatus());
  EXPECT_EQ(ValidateStreamId({std::string(64, 't'), "wallet", "w1"}), absl::OkStatus());
}

TEST(ValidateStreamId, RefusesOtherAggregateNames) {
  for (const std::string_view name :
       {"", "$", "$$a", "Wallet", "1wallet", "_wallet", "wal-let", "wal let", "wal/let", "w\xc3\xa4", "$Schema"}) {
    ExpectRefused(ValidateAggregate(name), reason::kRequestInvalid,
                  "an aggregate's name must match [a-z][a-z0-9_]{0,63}");
  }
  ExpectRefused(ValidateAggregate(std::string(65, 'a')), reason::kRequestInvalid, "must match");
  ExpectRefused(ValidateAggregate(std::string_view("a\0b", 3)), reason::kRequestInvalid, "\"a\\000b\"");
}

TEST(ValidateStreamId, RefusesIdsOfAnotherLength) {
  ExpectRefused(ValidateId(""), reason::kLimitExceeded, "an id must have 1 to 200 bytes, it has 0");
  ExpectRefused(ValidateId(std::string(201, 'w')), reason::kLimitExceeded, "it has 201");
  ExpectRefused(ValidateId(std::string(65'536, 'w')), reason::kLimitExceeded, "it has 65536");
}

TEST(ValidateStreamId, RefusesOtherTenants) {
  ExpectRefused(ValidateStreamId({std::string(65, 't'), "wallet", "w1"}), reason::kLimitExceeded,
                "a tenant must have 1 to 64 bytes, it has 65");
  ExpectRefused(ValidateStreamId({"a\tb", "wallet", "w1"}), reason::kRequestInvalid, "a tenant must be printable");
}

TEST(ValidateName, SaysTheBytesThatAreWrong) {
  ExpectRefused(ValidateName("a\n", 10, "a name"), reason::kRequestInvalid,
                "a name must be printable UTF-8; its bytes are 0x610a");
}

TEST(IsPrintableUtf8, RefusesControlCharacters) {
  for (int c = 0; c < 0x20; ++c) EXPECT_FALSE(IsPrintableUtf8(std::string(1, static_cast<char>(c)))) << c;
  EXPECT_FALSE(IsPrintableUtf8("\x7f"));
  for (int c = 0x80; c < 0xa0; ++c) EXPECT_FALSE(IsPrintableUtf8(std::string("\xc2") + static_cast<char>(c))) << c;
  EXPECT_TRUE(IsPrintableUtf8("\xc2\xa0"));
  EXPECT_TRUE(IsPrintableUtf8(" ~"));
  EXPECT_TRUE(IsPrintableUtf8(""));
}

TEST(IsPrintableUtf8, RefusesCharactersThatChangeHowATextReads) {
  EXPECT_FALSE(IsPrintableUtf8("\xd8\x9c"));      // U+061C Arabic letter mark
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\x8e"));  // U+200E left-to-right mark
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\x8f"));  // U+200F right-to-left mark
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\xa8"));  // U+2028 line separator
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\xa9"));  // U+2029 paragraph separator
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\xaa"));  // U+202A left-to-right embedding
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x80\xae"));  // U+202E right-to-left override
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x81\xa6"));  // U+2066 left-to-right isolate
  EXPECT_FALSE(IsPrintableUtf8("\xe2\x81\xa9"));  // U+2069 pop directional isolate
  EXPECT_TRUE(IsPrintableUtf8("\xe2\x80\xaf"));   // U+202F narrow no-break space
  EXPECT_TRUE(IsPrintableUtf8("\xe2\x80\x90"));   // U+2010 hyphen
}

TEST(IsPrintableUtf8, RefusesInvalidUtf8) {
  for (const std::string_view bytes : {
           "\x80",              // continuation without a lead
           "\xff", "\xfe",      // never part of UTF-8
           "\xc0\xaf",          // '/' in two bytes
           "\xc1\xbf",          // DEL in two bytes
           "\xe0\x80\xaf",      // '/' in three bytes
           "\xf0\x80\x80\xaf",  // '/' in four bytes
           "\xed\xa0\x80",      // a surrogate
           "\xf4\x90\x80\x80",  // beyond U+10FFFF
           "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98",  // cut short
           "\xc3(", "\xe2(\xac", "\xe2\x82(",                                               // no continuation
       }) {
    EXPECT_FALSE(IsPrintableUtf8(bytes));
    EXPECT_FALSE(IsPrintableUtf8("ok" + std::string(bytes)));
  }
  EXPECT_TRUE(IsPrintableUtf8("\xf4\x8f\xbf\xbd"));
  EXPECT_TRUE(IsPrintableUtf8("\xed\x9f\xbb\xee\x80\x80"));  // on both sides of the surrogates
}

TEST(StreamId, OrdersAndHashesByAllParts) {
  EXPECT_LT((StreamId{"a", "wallet", "w2"}), (StreamId{"b", "wallet", "w1"}));
  const absl::Hash<StreamId> hash;
  EXPECT_EQ(hash({"a", "b", "c"}), hash({"a", "b", "c"}));
  EXPECT_NE(hash({"a", "b", "c"}), hash({"a", "bc", ""}));
}

}  // namespace
}  // namespace everfold
