#include "everfold/base/digest.h"

#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(Sha256, MatchesThePublishedVectors) {  // FIPS 180-4, examples of NIST
  EXPECT_EQ(HexEncode(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexEncode(Sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

std::string Finish(Sha256Hasher& hasher) {
  const auto digest = hasher.Finish();
  return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

TEST(Sha256Hasher, PartsAreHashedAsTheWhole) {
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256Hasher hasher;
    hasher.Add(std::string_view(text).substr(0, cut));
    hasher.Add({});
    hasher.Add(std::string_view(text).substr(cut));
    EXPECT_EQ(Finish(hasher), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") << cut;
  }
}

TEST(Sha256Hasher, BeginsAnewAfterFinish) {
  Sha256Hasher hasher;
  EXPECT_EQ(Finish(hasher), HexEncode(Sha256("")));
  hasher.Add("abc");
  EXPECT_EQ(Finish(hasher), HexEncode(Sha256("abc")));
  EXPECT_EQ(Finish(hasher), HexEncode(Sha256("")));
}

TEST(HmacSha256, MatchesThePublishedVectors) {  // RFC 4231, cases 1, 2 and 6
  EXPECT_EQ(HexEncode(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(HmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, TakesAnEmptyKeyAndNoBytes) {
  EXPECT_EQ(HexEncode(HmacSha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HexEncode, IsLowerCaseWithTwoDigitsAByte) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x0f\xa0\xff", 4)), "000fa0ff");
  EXPECT_EQ(HexEncode(""), "");
}

}  // namespace
}  // namespace everfold
