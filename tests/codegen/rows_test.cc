// Rows on their way into columns and back, with a row of variants in place of SQLite.
#include <gmock/gmock.h>

#include <variant>
#include <vector>

#include "catalog/v1/catalog.everfold.h"
#include "everfold/base/timestamp.h"
#include "google/protobuf/util/message_differencer.h"
#include "shop/v1/shop.everfold.h"

namespace everfold {
namespace {

using shop::v1::OrderSummary;
using shop::v1::StockEntry;
using testing::ElementsAre;

struct Null {
  friend bool operator==(Null, Null) { return true; }
};
struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};
using Value = std::variant<Null, std::int64_t, double, std::string, Blob>;

class Columns final : public ColumnWriter, public ColumnReader {
 public:
  void Integer(int index, std::int64_t value) override { At(index) = value; }
  void Real(int index, double value) override { At(index) = value; }
  void Text(int index, std::string_view value) override { At(index) = std::string(value); }
  void Blob(int index, std::string_view value) override { At(index) = everfold::Blob{std::string(value)}; }
  void Null(int index) override { At(index) = everfold::Null{}; }

  bool IsNull(int index) const override { return std::holds_alternative<everfold::Null>(values.at(index)); }
  std::int64_t Integer(int index) const override { return std::get<std::int64_t>(values.at(index)); }
  double Real(int index) const override { return std::get<double>(values.at(index)); }
  std::string_view Text(int index) const override { return std::get<std::string>(values.at(index)); }
  std::string_view Blob(int index) const override { return std::get<everfold::Blob>(values.at(index)).bytes; }

  std::vector<Value> values;

 private:
  Value& At(int index) {
    if (values.size() <= static_cast<std::size_t>(index)) values.resize(index + 1);
    return values[index];
  }
};

OrderSummary FullSummary() {
  OrderSummary row = shop::v1::MakeOrderSummary({.weight = 1.25,
                                                 .ratio = 0.5f,
                                                 .lines = -3,
                                                 .boxes = 4000000000u,
                                                 .total_minor = -5,
                                                 .ticket = ~std::uint64_t{0},
                                                 .paid = true,
                                                 .token = std::string_view("\0\xff", 2),
                                                 .channel = shop::v1::CHANNEL_WEB,
                                                 .placed_at = TimestampOf(absl::FromUnixMicros(-1500000)),
                                                 .note = "",
                                                 .rank = 1,
                                                 .handout = shop::v1::CHANNEL_BRANCH,
                                                 .class_ = "c",
                                                 .order_id = "o1"});
  return row;
}

TEST(SchemaTest, HasAColumnForEachFieldByNumber) {
  const ReadModelSchema& schema = ReadModelTraits<OrderSummary>::Schema();
  EXPECT_EQ(schema.message, "shop.v1.OrderSummary");
  EXPECT_EQ(schema.table, "order_summary");
  const std::vector<Column> columns = {
      {"order_id", ColumnType::kText, false},    {"weight", ColumnType::kReal, false},
      {"ratio", ColumnType::kReal, false},       {"lines", ColumnType::kInteger, false},
      {"boxes", ColumnType::kInteger, false},    {"total_minor", ColumnType::kInteger, false},
      {"ticket", ColumnType::kInteger, false},   {"paid", ColumnType::kInteger, false},
      {"token", ColumnType::kBlob, false},       {"channel", ColumnType::kText, false},
      {"placed_at", ColumnType::kInteger, true}, {"note", ColumnType::kText, true},
      {"rank", ColumnType::kInteger, true},      {"handout", ColumnType::kText, true},
      {"class", ColumnType::kText, false}};
  EXPECT_EQ(schema.columns, columns);
  EXPECT_THAT(schema.key, ElementsAre(0));
}

TEST(SchemaTest, HasTheKeyInItsOwnOrder) {
  EXPECT_THAT(ReadModelTraits<StockEntry>::Schema().key, ElementsAre(1, 2, 3, 4, 5));
}

TEST(RowTest, BindsEachTypeToItsColumn) {
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(FullSummary(), columns);
  EXPECT_THAT(
      columns.values,
      ElementsAre(Value("o1"), Value(1.25), Value(0.5), Value(std::int64_t{-3}), Value(std::int64_t{4000000000}),
                  Value(std::int64_t{-5}), Value(std::int64_t{-1}), Value(std::int64_t{1}),
                  Value(Blob{std::string("\0\xff", 2)}), Value("CHANNEL_WEB"), Value(std::int64_t{-1500000}), Value(""),
                  Value(std::int64_t{1}), Value("CHANNEL_BRANCH"), Value("c")));
}

TEST(RowTest, BindsNullWhereNothingIsSet) {
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(OrderSummary(), columns);
  ASSERT_EQ(columns.values.size(), 15u);
  for (const int nullable : {10, 11, 12, 13}) EXPECT_EQ(columns.values[nullable], Value(Null{})) << nullable;
  EXPECT_EQ(columns.values[9], Value("CHANNEL_UNSPECIFIED"));
}

TEST(RowTest, ReadsBackWhatItBound) {
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(FullSummary(), columns);
  OrderSummary row;
  ReadModelTraits<OrderSummary>::Read(columns, row);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(row, FullSummary())) << row.DebugString();
}

TEST(RowTest, LeavesNothingOfTheRowBefore) {
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(OrderSummary(), columns);
  OrderSummary row = FullSummary();
  ReadModelTraits<OrderSummary>::Read(columns, row);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(row, OrderSummary())) << row.DebugString();
}

TEST(RowTest, KeepsEnumValuesThatItDoesNotKnow) {
  OrderSummary row;
  row.set_channel(static_cast<shop::v1::Channel>(77));
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(row, columns);
  EXPECT_EQ(columns.values[9], Value("77"));
  row.clear_channel();
  ReadModelTraits<OrderSummary>::Read(columns, row);
  EXPECT_EQ(static_cast<int>(row.channel()), 77);
}

TEST(KeyTest, OfOneFieldIsMadeOfItsValue) {
  const ReadModelTraits<OrderSummary>::Key key = std::string("o1");
  Columns columns;
  ReadModelTraits<OrderSummary>::BindKey(key, columns);
  EXPECT_THAT(columns.values, ElementsAre(Value("o1")));
  OrderSummary row;
  ReadModelTraits<OrderSummary>::SetKey(key, row);
  EXPECT_EQ(row.order_id(), "o1");
  EXPECT_EQ(ReadModelTraits<OrderSummary>::KeyOf(row).order_id, "o1");
}

TEST(KeyTest, OfSeveralFieldsNamesThem) {
  const ReadModelTraits<StockEntry>::Key key{
      .shelf_id = "s", .channel = shop::v1::CHANNEL_WEB, .floor = -1, .cold = true, .mark = "m"};
  Columns columns;
  ReadModelTraits<StockEntry>::BindKey(key, columns);
  EXPECT_THAT(columns.values, ElementsAre(Value("s"), Value("CHANNEL_WEB"), Value(std::int64_t{-1}),
                                          Value(std::int64_t{1}), Value(Blob{"m"})));
  StockEntry row;
  ReadModelTraits<StockEntry>::SetKey(key, row);
  const ReadModelTraits<StockEntry>::Key again = ReadModelTraits<StockEntry>::KeyOf(row);
  EXPECT_EQ(again.shelf_id, "s");
  EXPECT_EQ(again.channel, shop::v1::CHANNEL_WEB);
  EXPECT_EQ(again.floor, -1);
  EXPECT_TRUE(again.cold);
  EXPECT_EQ(again.mark, "m");
  EXPECT_EQ(row.pieces(), 0);
}

TEST(KeyTest, MayBeAnEnumOfAnotherPackage) {
  Columns columns;
  ReadModelTraits<catalog::v1::ChannelTurnover>::BindKey(shop::v1::CHANNEL_BRANCH, columns);
  EXPECT_THAT(columns.values, ElementsAre(Value("CHANNEL_BRANCH")));
}

}  // namespace
}  // namespace everfold
