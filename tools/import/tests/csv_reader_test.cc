#include "tools/import/csv_reader.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using Fields = std::vector<std::string>;

// One record of a text that has at least `number` of them.
Fields Record(const std::string& text, int number = 1) {
  std::istringstream input(text);
  CsvReader reader(input);
  Fields fields;
  for (int i = 0; i < number; ++i) {
    const absl::StatusOr<bool> more = reader.Next(fields);
    EXPECT_TRUE(more.ok() && *more) << more.status();
  }
  return fields;
}

TEST(CsvReader, SplitsAtCommas) { EXPECT_THAT(Record("a,b c,3\n"), ElementsAre("a", "b c", "3")); }

TEST(CsvReader, KeepsEmptyFields) { EXPECT_THAT(Record(",x,\n"), ElementsAre("", "x", "")); }

TEST(CsvReader, TakesCommasAndLineEndsWithinQuotes) {
  EXPECT_THAT(Record("\"a,b\",\"c\r\nd\",e"), ElementsAre("a,b", "c\r\nd", "e"));
}

TEST(CsvReader, TakesADoubledQuoteForOne) {
  EXPECT_THAT(Record("\"say \"\"yes\"\"\",\"\"\"\",\"\""), ElementsAre("say \"yes\"", "\"", ""));
}

TEST(CsvReader, EndsLinesWithLfOrCrLf) { EXPECT_THAT(Record("a,b\r\nc,d\ne,f", 3), ElementsAre("e", "f")); }

TEST(CsvReader, SkipsEmptyLinesAndByteOrderMark) {
  EXPECT_THAT(Record("\xEF\xBB\xBF\n\r\na,b"), ElementsAre("a", "b"));
}

TEST(CsvReader, SaysWhenThereIsNoMore) {
  std::istringstream input("a\n\n");
  CsvReader reader(input);
  Fields fields;
  EXPECT_TRUE(*reader.Next(fields));
  EXPECT_FALSE(*reader.Next(fields));
  EXPECT_FALSE(*reader.Next(fields));
}

TEST(CsvReader, TellsTheLineWhereARecordBegan) {
  std::istringstream input("h\n\"two\nlines\"\n\nlast\n");
  CsvReader reader(input);
  Fields fields;
  std::vector<int> lines;
  while (*reader.Next(fields)) lines.push_back(reader.line());
  EXPECT_THAT(lines, ElementsAre(1, 2, 5));
}

TEST(CsvReader, RefusesTextBehindAClosingQuoteAndGoesOnBehindIt) {
  std::istringstream input("a\n\"b\"x,c\nd\n");
  CsvReader reader(input);
  Fields fields;
  ASSERT_TRUE(*reader.Next(fields));
  const absl::Status status = reader.Next(fields).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "text behind a closing quote");
  EXPECT_EQ(reader.line(), 2);
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_THAT(fields, ElementsAre("d"));
}

TEST(CsvReader, RefusesAQuoteWithinAnUnquotedField) {
  std::istringstream input("a\"b\"\n");
  CsvReader reader(input);
  Fields fields;
  EXPECT_EQ(reader.Next(fields).status().message(), "a quote within a field that does not begin with one");
}

TEST(CsvReader, RefusesAQuoteThatIsNeverClosed) {
  std::istringstream input("h\n\"a,b\nc\n");
  CsvReader reader(input);
  Fields fields;
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_EQ(reader.Next(fields).status().message(), "a quote that is never closed");
  EXPECT_EQ(reader.line(), 2);
  EXPECT_FALSE(*reader.Next(fields));
}

TEST(CsvReader, KeepsAnOpenQuoteToItsLineWhereQuotedLineEndsAreRefused) {
  std::istringstream input("\"a\",\"b\"\"c\"\n\"d,e\r\n\"f\",g\n\"h");
  CsvReader reader(input, QuotedLineEnds::kRefused);
  Fields fields;
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_THAT(fields, ElementsAre("a", "b\"c"));
  EXPECT_EQ(reader.Next(fields).status().message(), "a quote that its line does not close");
  EXPECT_EQ(reader.line(), 2);
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_THAT(fields, ElementsAre("f", "g"));
  EXPECT_EQ(reader.line(), 3);
  EXPECT_EQ(reader.Next(fields).status().message(), "a quote that its line does not close");
  EXPECT_FALSE(*reader.Next(fields));
}

TEST(CsvReader, RefusesAFieldThatIsTooLong) {
  std::string text(CsvReader::kMaxFieldBytes + 1, 'x');
  text += "\nnext";
  std::istringstream input(text);
  CsvReader reader(input);
  Fields fields;
  EXPECT_EQ(reader.Next(fields).status().message(), "a field of more than 1 MiB");
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_THAT(fields, ElementsAre("next"));
}

TEST(FindColumns, TellsWhereNamesStand) { EXPECT_THAT(*FindColumns({"a", "b", "c"}, {"c", "a"}), ElementsAre(2, 0)); }

TEST(FindColumns, NamesAllThatAreMissing) {
  EXPECT_EQ(FindColumns({"a"}, {"b", "a", "c"}).status().message(), "the header lacks: b, c");
}

}  // namespace
}  // namespace everfold
