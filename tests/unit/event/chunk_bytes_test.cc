#include "everfold/event/chunk_bytes.h"

#include "everfold/base/digest.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

std::string Varint(std::uint64_t value) {
  std::string bytes;
  AppendVarint(bytes, value);
  return bytes;
}

TEST(Varint, HasTheseBytes) {
  EXPECT_EQ(HexEncode(Varint(0)), "00");
  EXPECT_EQ(HexEncode(Varint(127)), "7f");
  EXPECT_EQ(HexEncode(Varint(128)), "8001");
  EXPECT_EQ(HexEncode(Varint(300)), "ac02");
  EXPECT_EQ(HexEncode(Varint(16383)), "ff7f");
  EXPECT_EQ(HexEncode(Varint(16384)), "808001");
  EXPECT_EQ(HexEncode(Varint(UINT64_MAX)), "ffffffffffffffffff01");
}

TEST(Varint, EveryLengthComesBack) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value : {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1}) {
      const std::string bytes = Varint(value);
      EXPECT_EQ(bytes.size(), VarintSize(value)) << value;
      ByteReader in(bytes);
      EXPECT_EQ(in.Varint(), value);
      EXPECT_TRUE(in.done()) << value;
    }
  }
}

TEST(Zigzag, SmallNumbersOfEitherSignAreShort) {
  EXPECT_EQ(Zigzag(0), 0u);
  EXPECT_EQ(Zigzag(-1), 1u);
  EXPECT_EQ(Zigzag(1), 2u);
  EXPECT_EQ(Zigzag(INT64_MIN), UINT64_MAX);
  for (const std::int64_t value : {INT64_MIN, INT64_MIN + 1, std::int64_t{-5}, std::int64_t{0}, INT64_MAX}) {
    EXPECT_EQ(Unzigzag(Zigzag(value)), value);
  }
}

std::string FailureOf(const std::string& bytes) {
  ByteReader in(bytes);
  EXPECT_EQ(in.Varint(), 0u);
  EXPECT_TRUE(in.failed());
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.left(), 0u);
  return in.failed() ? in.failure() : "";
}

TEST(ByteReader, RefusesNumbersThatNeedLess) {
  EXPECT_EQ(FailureOf(std::string("\x80\x00", 2)), "a varint is longer than its number needs");
  EXPECT_EQ(FailureOf(std::string("\xff\x00", 2)), "a varint is longer than its number needs");
  EXPECT_EQ(FailureOf(std::string("\x80\x80\x00", 3)), "a varint is longer than its number needs");
  EXPECT_EQ(FailureOf(std::string(9, '\xff') + '\0'), "a varint is longer than its number needs");
}

TEST(ByteReader, RefusesNumbersBeyond64Bits) {
  EXPECT_EQ(FailureOf(std::string(9, '\xff') + '\x02'), "a varint has more than 64 bits");
  EXPECT_EQ(FailureOf(std::string(9, '\x80') + '\x80' + '\x01'), "a varint has more than 64 bits");
  EXPECT_EQ(FailureOf(std::string(30, '\xff')), "a varint has more than 64 bits");
}

TEST(ByteReader, RefusesNumbersThatAreCutOff) {
  EXPECT_EQ(FailureOf(""), "the bytes end too early");
  for (std::size_t size = 1; size < kMaxVarintBytes; ++size) {
    EXPECT_EQ(FailureOf(std::string(size, '\xff')), "the bytes end too early") << size;
  }
}

TEST(ByteReader, NeverGivesMoreThanThereIs) {
  ByteReader in("\x05hello\x05hell");
  EXPECT_EQ(in.String(), "hello");
  EXPECT_EQ(in.String(), "");
  EXPECT_STREQ(in.failure(), "the bytes end too early");
  ByteReader bytes("ab");
  EXPECT_EQ(bytes.Bytes(2), "ab");
  EXPECT_TRUE(bytes.done());
  EXPECT_EQ(bytes.Bytes(UINT64_MAX), "");
  EXPECT_TRUE(bytes.failed());
}

TEST(ByteReader, StaysFailedAndKeepsTheFirstFailure) {
  const std::string bytes = std::string("\x80\x00", 2) + "\x01";
  ByteReader in(bytes);
  in.Varint();
  EXPECT_EQ(in.Byte(), 0);
  EXPECT_EQ(in.String(), "");
  in.SkipVarints(UINT64_MAX);
  EXPECT_STREQ(in.failure(), "a varint is longer than its number needs");
}

}  // namespace
}  // namespace everfold
