#include "everfold/event/type_description.h"

#include <gmock/gmock.h>

#include <memory>

#include "everfold/event/fingerprint.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {
namespace {

namespace pb = google::protobuf;
using testing::ElementsAre;
using testing::IsEmpty;

// The message a.Event of a file with these declarations.
v1::TypeDescription Described(const std::string& declarations) {
  const std::string text = "syntax = \"proto3\"; package a;" + declarations;
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokens(&stream, nullptr);
  pb::FileDescriptorProto file;
  EXPECT_TRUE(pb::compiler::Parser().Parse(&tokens, &file)) << text;
  file.set_name("a.proto");
  pb::DescriptorPool pool;
  EXPECT_NE(pool.BuildFile(file), nullptr) << text;
  return DescribeType(*pool.FindMessageTypeByName("a.Event"));
}

std::vector<std::string> Changes(const std::string& stored, const std::string& current) {
  return IncompatibleChanges(Described(stored), Described(current));
}
std::vector<std::string> ChangesOfField(const std::string& stored, const std::string& current) {
  const std::string more = " message Part { int32 n = 1; } enum Color { NONE = 0; RED = 1; }";
  return Changes("message Event { " + stored + " }" + more, "message Event { " + current + " }" + more);
}

TEST(TypeDescriptionTest, HasEverythingThatTheMessageReachesOnce) {
  const v1::TypeDescription description = Described(
      "message Event { Part b = 2; repeated Color a = 1; map<string, Part> parts = 3; }"
      "message Part { Event whole = 1; } enum Color { NONE = 0; } message Other {}");
  EXPECT_EQ(description.name(), "a.Event");
  EXPECT_EQ(description.fingerprint().size(), 32u);
  ASSERT_EQ(description.messages_size(), 3);
  EXPECT_EQ(description.messages(0).name(), "a.Event");
  EXPECT_EQ(description.messages(0).fields(0).name(), "a");
  EXPECT_TRUE(description.messages(0).fields(0).repeated());
  EXPECT_EQ(description.messages(0).fields(1).type_name(), "a.Part");
  ASSERT_EQ(description.enums_size(), 1);
  EXPECT_EQ(description.enums(0).values(0).name(), "NONE");
}

struct FieldChange {
  const char* stored;
  const char* current;
};

class CompatibleTest : public testing::TestWithParam<FieldChange> {};

TEST_P(CompatibleTest, IsRead) { EXPECT_THAT(ChangesOfField(GetParam().stored, GetParam().current), IsEmpty()); }

INSTANTIATE_TEST_SUITE_P(Fields, CompatibleTest,
                         testing::Values(FieldChange{"int64 a = 1;", "int64 b = 1;"}, FieldChange{"int64 a = 1;", ""},
                                         FieldChange{"", "string a = 1;"}, FieldChange{"int32 a = 1;", "int64 a = 1;"},
                                         FieldChange{"uint32 a = 1;", "int64 a = 1;"},
                                         FieldChange{"bool a = 1;", "int32 a = 1;"},
                                         FieldChange{"Color a = 1;", "int32 a = 1;"},
                                         FieldChange{"string a = 1;", "bytes a = 1;"},
                                         FieldChange{"int64 a = 1;", "repeated int64 a = 1;"},
                                         FieldChange{"int64 a = 1;", "optional int64 a = 1;"},
                                         FieldChange{"Part a = 1;", "oneof o { Part a = 1; }"}));

class IncompatibleTest : public testing::TestWithParam<FieldChange> {};

TEST_P(IncompatibleTest, IsTold) { EXPECT_EQ(ChangesOfField(GetParam().stored, GetParam().current).size(), 1u); }

INSTANTIATE_TEST_SUITE_P(
    Fields, IncompatibleTest,
    testing::Values(FieldChange{"int64 a = 1;", "string a = 1;"}, FieldChange{"int64 a = 1;", "int32 a = 1;"},
                    FieldChange{"int32 a = 1;", "uint32 a = 1;"}, FieldChange{"int32 a = 1;", "sint32 a = 1;"},
                    FieldChange{"int32 a = 1;", "fixed32 a = 1;"}, FieldChange{"int64 a = 1;", "bool a = 1;"},
                    FieldChange{"double a = 1;", "float a = 1;"}, FieldChange{"bytes a = 1;", "string a = 1;"},
                    FieldChange{"string a = 1;", "Part a = 1;"}, FieldChange{"int32 a = 1;", "Color a = 1;"},
                    FieldChange{"repeated int64 a = 1;", "int64 a = 1;"},
                    FieldChange{"map<string, int64> a = 1;", "map<int64, int64> a = 1;"}));

TEST(TypeDescriptionTest, TellsTheFieldAndWhatToDo) {
  EXPECT_THAT(
      ChangesOfField("repeated Part parts = 2;", "string note = 2;"),
      ElementsAre("field 2 of a.Event was `repeated a.Part parts` and is `string note`; give the field of today "
                  "a number that was never used, and reserve this one"));
}

TEST(TypeDescriptionTest, LooksIntoMessagesWhateverTheyAreCalled) {
  EXPECT_THAT(
      Changes("message Event { Part p = 1; } message Part { Leaf l = 1; } message Leaf { int32 n = 1; }",
              "message Event { Piece p = 1; } message Piece { Leaf l = 1; } message Leaf { string n = 1; }"),
      ElementsAre("field 1 of a.Leaf was `int32 n` and is `string n`; give the field of today a number that was "
                  "never used, and reserve this one"));
}

TEST(TypeDescriptionTest, ComesToAnEndInMessagesThatHoldThemselves) {
  const std::string tree = "message Event { Event left = 1; repeated Event more = 2; int32 n = 3; }";
  EXPECT_THAT(Changes(tree, tree), IsEmpty());
}

TEST(TypeDescriptionTest, MissesEnumValues) {
  EXPECT_THAT(Changes("message Event { Color c = 1; } enum Color { NONE = 0; RED = 1; BLUE = 2; }",
                      "message Event { Color c = 1; } enum Color { NONE = 0; CRIMSON = 1; GREEN = 3; }"),
              ElementsAre("value 2 of the enum a.Color was BLUE and is gone; declare it again, deprecated"));
}

}  // namespace
}  // namespace everfold
