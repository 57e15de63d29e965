#include "tools/import/csv_reader.h"

#include <fstream>
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
  EXPECT_THAT(Record("\"a,b\",\"c\r\nd\",e\n"), ElementsAre("a,b", "c\r\nd", "e"));
}

TEST(CsvReader, TakesADoubledQuoteForOne) {
  EXPECT_THAT(Record("\"say \"\"yes\"\"\",\"\"\"\",\"\"\n"), ElementsAre("say \"yes\"", "\"", ""));
}

TEST(CsvReader, EndsLinesWithLfOrCrLf) { EXPECT_THAT(Record("a,b\r\nc,d\ne,f\n", 3), ElementsAre("e", "f")); }

TEST(CsvReader, SkipsEmptyLinesAndByteOrderMark) {
  EXPECT_THAT(Record("\xEF\xBB\xBF\n\r\na,b\n"), ElementsAre("a", "b"));
  EXPECT_THAT(Record("\xEF\xBB\xBF\"a\",b\n"), ElementsAre("a", "b"));
}

TEST(CsvReader, KeepsWhatOnlyBeginsLikeAByteOrderMark) {
  EXPECT_THAT(Record("\xEF\xBB\xBC,b\n"), ElementsAre("\xEF\xBB\xBC", "b"));
  EXPECT_THAT(Record("\xEF,b\n"), ElementsAre("\xEF", "b"));
}

TEST(CsvReader, RefusesACarriageReturnThatEndsNoLine) {
  std::istringstream input("a\rb\nc\n");
  CsvReader reader(input);
  Fields fields;
  const absl::Status status = reader.Next(fields).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "a carriage return without the line feed of a line end");
  ASSERT_TRUE(*reader.Next(fields));
  EXPECT_THAT(fields, ElementsAre("c"));
}

TEST(CsvReader, RefusesALastRecordThatMayBeCutOff) {
  for (const char* cut : {"h\na,40.9", "h\na,", "h\na,\"40.95\"", "h\r\na,40.95\r"}) {
    SCOPED_TRACE(cut);
    std::istringstream input(cut);
    CsvReader reader(input);
    Fields fields;
    ASSERT_TRUE(*reader.Next(fields));
    const absl::Status status = reader.Next(fields).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "the file ends in the middle of this line");
    EXPECT_EQ(reader.line(), 2);
    EXPECT_EQ(fields[0], "a");
    EXPECT_FALSE(*reader.Next(fields));
  }
}

// A folder opens like a file, and fails when it is read.
TEST(CsvReader, TellsWhyItCannotReadOn) {
  std::ifstream input("/");
  CsvReader reader(input);
  Fields fields;
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = reader.Next(fields).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_EQ(status.message(), "cannot be read: Is a directory");
    EXPECT_EQ(reader.line(), 1);
  }
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
  text += "\nnext\n";
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
