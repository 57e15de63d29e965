#include "everfold/query/page_token.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "everfold/base/error.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

ReadModelSchema Schema(std::vector<ColumnType> key_types) {
  ReadModelSchema schema{.message = "shop.v1.Line", .table = "line", .columns = {}, .key = {}};
  for (const ColumnType type : key_types) {
    schema.key.push_back(schema.columns.size());
    schema.columns.push_back({"c" + std::to_string(schema.columns.size()), type});
  }
  return schema;
}

const ReadModelSchema kAllTypes =
    Schema({ColumnType::kText, ColumnType::kInteger, ColumnType::kReal, ColumnType::kBlob});
const RowKey kKey = {std::string("a\0\"/'", 5), std::numeric_limits<std::int64_t>::min(), -0.25,
                     std::string("\xff\0", 2)};

void ExpectRefused(const ReadModelSchema& schema, const std::string& token, const std::string& message) {
  const auto key = DecodePageToken(schema, token);
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument) << token;
  EXPECT_EQ(ReasonOf(key.status()), reason::kRequestInvalid);
  EXPECT_EQ(key.status().message(), message);
}

constexpr char kMalformed[] = "page_token is not one that a list returned";

TEST(PageToken, KeyOfEveryTypeComesBack) {
  const auto key = DecodePageToken(kAllTypes, EncodePageToken(kAllTypes, kKey));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, kKey);
}

TEST(PageToken, EmptyTextIsAKey) {
  const ReadModelSchema schema = Schema({ColumnType::kText});
  const auto key = DecodePageToken(schema, EncodePageToken(schema, {std::string()}));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, RowKey{std::string()});
}

TEST(PageToken, IsFitForAUrl) {
  const std::string token = EncodePageToken(kAllTypes, kKey);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos)
      << token;
}

TEST(PageToken, OfAnotherReadModelIsRefused) {
  ReadModelSchema other = kAllTypes;
  other.message = "shop.v1.Order";
  ExpectRefused(other, EncodePageToken(kAllTypes, kKey), "page_token is of another list than shop.v1.Order");
}

TEST(PageToken, OfAnotherKeyIsRefused) {
  const std::string token = EncodePageToken(Schema({ColumnType::kInteger}), {std::int64_t{7}});
  ExpectRefused(Schema({ColumnType::kReal}), token, kMalformed);
  ExpectRefused(Schema({ColumnType::kInteger, ColumnType::kInteger}), token, kMalformed);
  ExpectRefused(Schema({}), token, kMalformed);
}

TEST(PageToken, GarbageIsRefused) {
  for (const char* garbage : {"x", "!!", "AAAA", "\xff", "page 2", "AQ", "__________8"}) {
    ExpectRefused(kAllTypes, garbage, kMalformed);
  }
}

TEST(PageToken, EveryCutAndEveryTailIsRefused) {
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(EncodePageToken(kAllTypes, kKey), &bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ExpectRefused(kAllTypes, absl::WebSafeBase64Escape(bytes.substr(0, size)), kMalformed);
  }
  ExpectRefused(kAllTypes, absl::WebSafeBase64Escape(bytes + '\0'), kMalformed);
}

}  // namespace
}  // namespace everfold
