// Rows on their way into columns and back, with a row of variants in place of SQLite.
#include <gmock/gmock.h>

#include <variant>
#include <vector>

#include "catalog/v1/catalog.everfold.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/money.h"
#include "google/protobuf/util/message_differencer.h"
#include "shop/v1/shop.everfold.h"

namespace everfold {
namespace {

using shop::v1::OrderDetail;
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

  void CannotWrite(int, std::string_view why) override { refused = std::string(why); }
  void CannotRead(int, std::string_view why) const override { refused = std::string(why); }

  bool IsNull(int index) const override { return std::holds_alternative<everfold::Null>(values.at(index)); }
  std::int64_t Integer(int index) const override { return std::get<std::int64_t>(values.at(index)); }
  double Real(int index) const override { return std::get<double>(values.at(index)); }
  std::string_view Text(int index) const override { return std::get<std::string>(values.at(index)); }
  std::string_view Blob(int index) const override { return std::get<everfold::Blob>(values.at(index)).bytes; }

  std::vector<Value> values;
  mutable std::string refused;

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
                                                 .placed_at = TimestampOf(absl::FromUnixNanos(-1500000001)),
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
  const auto* channel = google::protobuf::GetEnumDescriptor<shop::v1::Channel>();
  const std::vector<Column> columns = {{"order_id", ColumnType::kText},
                                       {"weight", ColumnType::kReal},
                                       {"ratio", ColumnType::kReal, false, ColumnMeaning::kFloat},
                                       {"lines", ColumnType::kInteger},
                                       {"boxes", ColumnType::kInteger},
                                       {"total_minor", ColumnType::kInteger},
                                       {"ticket", ColumnType::kInteger, false, ColumnMeaning::kUnsigned},
                                       {"paid", ColumnType::kInteger, false, ColumnMeaning::kBool},
                                       {"token", ColumnType::kBlob},
                                       {"channel", ColumnType::kText, false, ColumnMeaning::kEnum, "", channel},
                                       {"placed_at", ColumnType::kText, true, ColumnMeaning::kTimestamp},
                                       {"note", ColumnType::kText, true},
                                       {"rank", ColumnType::kInteger, true, ColumnMeaning::kUnsigned},
                                       {"handout", ColumnType::kText, true, ColumnMeaning::kEnum, "", channel},
                                       {"class", ColumnType::kText}};
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
                  Value(Blob{std::string("\0\xff", 2)}), Value("CHANNEL_WEB"), Value("1969-12-31T23:59:58.499999999Z"),
                  Value(""), Value(std::int64_t{1}), Value("CHANNEL_BRANCH"), Value("c")));
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

TEST(RowTest, ValueThatIsNoneOfTheEnumIsNotRead) {
  Columns columns;
  ReadModelTraits<OrderSummary>::Bind(FullSummary(), columns);
  columns.values[9] = Value("CHANNEL_PIGEON");
  OrderSummary row;
  ReadModelTraits<OrderSummary>::Read(columns, row);
  EXPECT_EQ(columns.refused, "holds no value of shop.v1.Channel");
}

values::v1::Money EuroMinor(std::int64_t minor) {
  values::v1::Money money;
  money.set_currency("EUR");
  money.set_minor(minor);
  return money;
}

OrderDetail FullDetail() {
  shop::v1::Order::Line part = shop::v1::MakeOrder_Line({.sku = "p", .quantity = 1, .price = {}, .parts = {}});
  shop::v1::Order::Line line =
      shop::v1::MakeOrder_Line({.sku = "a\"b", .quantity = 2, .price = EuroMinor(-7), .parts = {part}});
  return shop::v1::MakeOrderDetail({.order_id = "o1",
                                    .customer_id = "c1",
                                    .email = "a@b",
                                    .placed_at = TimestampOf(absl::FromUnixNanos(1)),
                                    .total = MakeMoney("BRL", -1250),
                                    .lines = {line, part},
                                    .pieces = {{"z", 1}, {"a", 1LL << 60}},
                                    .payment = shop::v1::Payment(),
                                    .channels = {shop::v1::CHANNEL_WEB, static_cast<shop::v1::Channel>(77)},
                                    .phone = {},
                                    .gift = part});
}

TEST(SchemaTest, HasTwoColumnsForMoneyAndJsonForTheRest) {
  const ReadModelSchema& schema = ReadModelTraits<OrderDetail>::Schema();
  std::vector<std::string> columns;
  for (const Column& column : schema.columns) columns.push_back(column.name + ":" + column.field_path());
  EXPECT_THAT(columns,
              ElementsAre("order_id:order_id", "customer_id:customer_id", "email:email", "placed_at:placed_at",
                          "total_minor:total.minor", "total_currency:total.currency", "lines:lines", "pieces:pieces",
                          "payment:payment", "channels:channels", "phone:phone", "gift:gift"));
  EXPECT_EQ(schema.columns[4].type, ColumnType::kInteger);
  EXPECT_TRUE(schema.columns[4].nullable);
  EXPECT_EQ(schema.columns[5].type, ColumnType::kText);
  EXPECT_FALSE(schema.columns[6].nullable);
  EXPECT_TRUE(schema.columns[8].nullable);
  for (const int json : {6, 7, 8, 9, 11}) EXPECT_EQ(schema.columns[json].meaning, ColumnMeaning::kJson) << json;
  EXPECT_NE(schema.columns[6].shape, schema.columns[8].shape);
}

TEST(SchemaTest, HasItsIndexesWithTheCurrencyFirst) {
  const std::vector<Index> indexes = {
      {.columns = {1, 3}, .unique = false}, {.columns = {2}, .unique = true}, {.columns = {5, 4}, .unique = false}};
  EXPECT_EQ(ReadModelTraits<OrderDetail>::Schema().indexes, indexes);
}

TEST(RowTest, BindsMessagesAsJson) {
  Columns columns;
  ReadModelTraits<OrderDetail>::Bind(FullDetail(), columns);
  EXPECT_THAT(columns.values,
              ElementsAre(Value("o1"), Value("c1"), Value("a@b"), Value("1970-01-01T00:00:00.000000001Z"),
                          Value(std::int64_t{-1250}), Value("BRL"),
                          Value(R"([{"sku":"a\"b","quantity":2,"price":{"currency":"EUR","minor":"-7"},)"
                                R"("parts":[{"sku":"p","quantity":1}]},{"sku":"p","quantity":1}])"),
                          Value(R"({"a":"1152921504606846976","z":"1"})"), Value("{}"), Value(R"(["CHANNEL_WEB",77])"),
                          Value(Null{}), Value(R"({"sku":"p","quantity":1})")));
}

TEST(RowTest, ReadsMessagesBack) {
  Columns columns;
  ReadModelTraits<OrderDetail>::Bind(FullDetail(), columns);
  OrderDetail row;
  row.set_phone("0");
  row.mutable_total()->set_currency("USD");
  (*row.mutable_pieces())["old"] = 1;
  ReadModelTraits<OrderDetail>::Read(columns, row);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(row, FullDetail())) << row.DebugString();
  EXPECT_EQ(columns.refused, "");
}

TEST(RowTest, MessagesThatAreNotSetAreNullAndWhatIsRepeatedIsEmpty) {
  Columns columns;
  ReadModelTraits<OrderDetail>::Bind(OrderDetail(), columns);
  EXPECT_THAT(columns.values,
              ElementsAre(Value(""), Value(""), Value(Null{}), Value(Null{}), Value(Null{}), Value(Null{}), Value("[]"),
                          Value("{}"), Value(Null{}), Value("[]"), Value(Null{}), Value(Null{})));
  OrderDetail row = FullDetail();
  ReadModelTraits<OrderDetail>::Read(columns, row);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(row, OrderDetail())) << row.DebugString();
}

TEST(RowTest, MoneyOfZeroIsNotMoneyThatIsNotSet) {
  OrderDetail row;
  *row.mutable_total() = MakeMoney("", 0);
  Columns columns;
  ReadModelTraits<OrderDetail>::Bind(row, columns);
  EXPECT_EQ(columns.values[4], Value(std::int64_t{0}));
  EXPECT_EQ(columns.values[5], Value(""));
  OrderDetail again;
  ReadModelTraits<OrderDetail>::Read(columns, again);
  EXPECT_TRUE(again.has_total());
}

TEST(RowTest, TimesThatNoColumnHoldsAreRefused) {
  const auto refused = [](std::int64_t seconds, std::int32_t nanos) {
    OrderDetail row;
    row.mutable_placed_at()->set_seconds(seconds);
    row.mutable_placed_at()->set_nanos(nanos);
    Columns columns;
    ReadModelTraits<OrderDetail>::Bind(row, columns);
    return columns.refused;
  };
  EXPECT_EQ(refused(253402300799, 999999999), "");
  EXPECT_EQ(refused(253402300800, 0),
            "is a Timestamp of 253402300800 seconds and 0 nanoseconds, which is outside the years 1 to 9999, or not "
            "normalized");
  EXPECT_EQ(refused(-62135596800, 0), "");
  EXPECT_NE(refused(-62135596801, 0), "");
  EXPECT_NE(refused(0, -1), "");
  EXPECT_NE(refused(0, 1000000000), "");
}

TEST(RowTest, TextThatIsNoTimeAndNoJsonIsNotRead) {
  for (const char* text : {"", "2017-10-02 10:56:33", "2017-02-30T00:00:00.000000000Z",
                           "2017-10-02T24:00:00.000000000Z", "2017-10-02T10:56:33.000Z", "1506941793"}) {
    Columns columns;
    ReadModelTraits<OrderDetail>::Bind(FullDetail(), columns);
    columns.values[3] = Value(text);
    OrderDetail row;
    ReadModelTraits<OrderDetail>::Read(columns, row);
    EXPECT_EQ(columns.refused, "holds no time of the form 0000-00-00T00:00:00.000000000Z") << text;
  }
  for (const char* text : {"", "{", "[{\"colour\":1}]", "7", "[],\"orderId\":\"o9\",\"tags\":[]"}) {
    Columns columns;
    ReadModelTraits<OrderDetail>::Bind(FullDetail(), columns);
    columns.values[6] = Value(text);
    OrderDetail row;
    ReadModelTraits<OrderDetail>::Read(columns, row);
    EXPECT_NE(columns.refused, "") << text;
    EXPECT_EQ(row.order_id(), "o1") << text;
  }
}

TEST(RowTest, NestingThatCouldNotBeReadBackIsRefused) {
  OrderDetail row;
  shop::v1::Order::Line* line = row.add_lines();
  for (int i = 0; i < 20; ++i) line = line->add_parts();
  Columns columns;
  ReadModelTraits<OrderDetail>::Bind(row, columns);
  EXPECT_EQ(columns.refused, "is nested deeper than 32 levels");
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
