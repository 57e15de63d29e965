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

// The order of the key.
std::vector<OrderTerm> OrderOf(const ReadModelSchema& schema) {
  std::vector<OrderTerm> order;
  for (const std::size_t column : schema.key) order.push_back({column, false});
  return order;
}

std::string Encode(const ReadModelSchema& schema, const RowKey& key) {
  return EncodePageToken({schema, OrderOf(schema), "", ""}, key);
}

absl::StatusOr<RowKey> Decode(const ReadModelSchema& schema, const std::string& token) {
  return DecodePageToken({schema, OrderOf(schema), "", ""}, token);
}

const ReadModelSchema kAllTypes =
    Schema({ColumnType::kText, ColumnType::kInteger, ColumnType::kReal, ColumnType::kBlob});
const RowKey kKey = {std::string("a\0\"/'", 5), std::numeric_limits<std::int64_t>::min(), -0.25,
                     std::string("\xff\0", 2)};

void ExpectRefused(const ReadModelSchema& schema, const std::string& token, const std::string& message) {
  const auto key = Decode(schema, token);
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument) << token;
  EXPECT_EQ(ReasonOf(key.status()), reason::kRequestInvalid);
  EXPECT_EQ(key.status().message(), message);
}

constexpr char kMalformed[] = "page_token is not one that a list returned";

TEST(PageToken, KeyOfEveryTypeComesBack) {
  const auto key = Decode(kAllTypes, Encode(kAllTypes, kKey));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, kKey);
}

TEST(PageToken, EmptyTextIsAKey) {
  const ReadModelSchema schema = Schema({ColumnType::kText});
  const auto key = Decode(schema, Encode(schema, {std::string()}));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, RowKey{std::string()});
}

TEST(PageToken, NullIsAPlaceOnlyWhereAColumnHasIt) {
  ReadModelSchema schema = Schema({ColumnType::kText, ColumnType::kInteger});
  schema.columns[0].nullable = true;
  const RowKey place = {std::monostate(), std::int64_t{1}};
  const auto decoded = Decode(schema, Encode(schema, place));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, place);
  const std::string token = Encode(schema, place);
  schema.columns[0].nullable = false;
  ExpectRefused(schema, token, kMalformed);
}

TEST(PageToken, BelongsToOneFilterAndOneOrder) {
  const std::vector<OrderTerm> order = OrderOf(kAllTypes);
  const std::string token = EncodePageToken({kAllTypes, order, "c1 > 0", "c0 desc"}, kKey);
  EXPECT_TRUE(DecodePageToken({kAllTypes, order, "c1 > 0", "c0 desc"}, token).ok());
  for (const auto& [filter, order_by] : std::vector<std::pair<std::string, std::string>>{
           {"", "c0 desc"}, {"c1 > 0", ""}, {"c1 > 1", "c0 desc"}, {"", ""}, {"c1 > 0c0 desc", ""}}) {
    EXPECT_EQ(DecodePageToken({kAllTypes, order, filter, order_by}, token).status().message(),
              "page_token is of a list with another filter or order_by; ask for all pages with the same");
  }
  ExpectRefused(kAllTypes, token,
                "page_token is of a list with another filter or order_by; ask for all pages with the same");
}

TEST(PageToken, IsFitForAUrl) {
  const std::string token = Encode(kAllTypes, kKey);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos)
      << token;
}

TEST(PageToken, OfAnotherReadModelIsRefused) {
  ReadModelSchema other = kAllTypes;
  other.message = "shop.v1.Order";
  ExpectRefused(other, Encode(kAllTypes, kKey), "page_token is of another list than shop.v1.Order");
}

TEST(PageToken, OfAnotherKeyIsRefused) {
  const std::string token = Encode(Schema({ColumnType::kInteger}), {std::int64_t{7}});
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
  ASSERT_TRUE(absl::WebSafeBase64Unescape(Encode(kAllTypes, kKey), &bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ExpectRefused(kAllTypes, absl::WebSafeBase64Escape(bytes.substr(0, size)), kMalformed);
  }
  ExpectRefused(kAllTypes, absl::WebSafeBase64Escape(bytes + '\0'), kMalformed);
}

}  // namespace
}  // namespace everfold
