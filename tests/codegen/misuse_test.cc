// Every misuse of the options, and the line that tells of it.
#include "tests/codegen/misuse.h"

#include <gtest/gtest.h>

namespace everfold::codegen {
namespace {

const std::string kAggregate = "option (everfold.v1.message).aggregate = {};";
const std::string kCommand = "option (everfold.v1.message).command = {};";
const std::string kEvent = "option (everfold.v1.message).event = {};";
const std::string kId = "[(everfold.v1.field).id = true]";
const std::string kTime = "[(everfold.v1.field).event_time = true]";

std::string ReadModelOf(const std::string& key, const std::string& fields) {
  return "message Row {\n  option (everfold.v1.message).read_model = {" + key + "};\n" + fields + "}\n";
}

TEST(AggregateMisuseTest, NeedsAnId) {
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + " string id = 1; }"),
            "bad.proto:6: Wallet is an aggregate without an id; mark its id, a string field, with "
            "[(everfold.v1.field).id = true]");
}

TEST(AggregateMisuseTest, HasOneId) {
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + "\n string a = 1 " + kId + ";\n string b = 2 " + kId + ";\n}"),
            "bad.proto:8: Wallet has more than one id, a and b; mark one field only");
}

TEST(AggregateMisuseTest, HasAStringAsId) {
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + "\n int64 id = 1 " + kId + "; }"),
            "bad.proto:7: the id id is int64; an id is one string");
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + "\n repeated string ids = 1 " + kId + "; }"),
            "bad.proto:7: the id ids is repeated string; an id is one string");
}

TEST(AggregateMisuseTest, HasAProperName) {
  EXPECT_EQ(
      ErrorOf("message Wallet { option (everfold.v1.message).aggregate = {name: \"My-Wallet\"};\n"
              " string id = 1 " +
              kId + "; }"),
      "bad.proto:6: 'My-Wallet' is no name for the aggregate Wallet; give it one like [a-z][a-z0-9_]*, of at most "
      "64 characters: `aggregate = {name: \"order\"}`");
}

TEST(AggregateMisuseTest, HasANameOfItsOwn) {
  EXPECT_EQ(ErrorOf(kWallet +
                    "message Purse { option (everfold.v1.message).aggregate = {name: \"wallet\"};\n"
                    " string id = 1 " +
                    kId +
                    "; }\n"
                    "message Lose { option (everfold.v1.message).command = {aggregate: \"Purse\"}; string id = 1 " +
                    kId + "; }"),
            "bad.proto:6: Open is a command, but of which aggregate? This file has Wallet, Purse; name it: "
            "`{aggregate: \"Wallet\"}`\n"
            "bad.proto:7: Purse has the aggregate name 'wallet' of Wallet; give it another: "
            "`aggregate = {name: \"...\"}`");
}

TEST(AggregateMisuseTest, HasACommand) {
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + " string id = 1 " + kId + "; }"),
            "bad.proto:6: the aggregate Wallet has no command; mark one with "
            "`option (everfold.v1.message).command = {};`");
}

TEST(MemberMisuseTest, CommandNeedsAnId) {
  EXPECT_EQ(ErrorOf(kWallet + "message Close { " + kCommand + " }"),
            "bad.proto:7: Close is a command without an id; mark its id, a string field, with "
            "[(everfold.v1.field).id = true]");
}

TEST(MemberMisuseTest, NeedsAnAggregateInItsFile) {
  EXPECT_EQ(ErrorOf("message Open { " + kCommand + " string id = 1 " + kId + "; }\nmessage Opened { " + kEvent + " }"),
            "bad.proto:6: Open is a command, but this file declares no aggregate; mark the state with "
            "`option (everfold.v1.message).aggregate = {};`\n"
            "bad.proto:7: Opened is an event, but this file declares no aggregate; mark the state with "
            "`option (everfold.v1.message).aggregate = {};`");
}

TEST(MemberMisuseTest, NamesAnAggregateOfItsFile) {
  EXPECT_EQ(
      ErrorOf(kWallet + "message No { option (everfold.v1.message).rejection = {aggregate: \"Purse\"}; }"),
      "bad.proto:7: No is a rejection of 'Purse', which is no aggregate of this file (it has Wallet); name one of "
      "them, or declare both in the same file");
}

TEST(RejectionMisuseTest, HasTheCodeOfAFailure) {
  const auto with_code = [](const std::string& code) {
    return ErrorOf(kWallet + "message No { option (everfold.v1.message).rejection = {code: \"" + code + "\"}; }");
  };
  EXPECT_EQ(
      with_code("NO_MONEY"),
      "bad.proto:7: No has the code 'NO_MONEY', which is no status code of a failure; write a gRPC status code such "
      "as FAILED_PRECONDITION or PERMISSION_DENIED");
  EXPECT_EQ(with_code("OK"),
            "bad.proto:7: No has the code 'OK', which is no status code of a failure; write a gRPC status code such as "
            "FAILED_PRECONDITION or PERMISSION_DENIED");
}

TEST(EventTimeMisuseTest, IsATimestamp) {
  EXPECT_EQ(ErrorOf(kWallet + "message Opened { " + kEvent + "\n int64 at = 1 " + kTime + "; }"),
            "bad.proto:8: the event_time at is not a google.protobuf.Timestamp; change its type, or remove the mark");
  EXPECT_EQ(
      ErrorOf(kWallet + "message Opened { " + kEvent + "\n repeated google.protobuf.Timestamp at = 1 " + kTime + "; }"),
      "bad.proto:8: the event_time at is not a google.protobuf.Timestamp; change its type, or remove the mark");
}

TEST(EventTimeMisuseTest, IsMarkedOnce) {
  EXPECT_EQ(ErrorOf(kWallet + "message Opened { " + kEvent + "\n google.protobuf.Timestamp a = 1 " + kTime +
                    ";\n google.protobuf.Timestamp b = 2 " + kTime + "; }"),
            "bad.proto:9: Opened has more than one event_time, a and b; mark one field only");
}

TEST(FieldMisuseTest, OptionsStandWhereTheyMeanSomething) {
  EXPECT_EQ(ErrorOf(kWallet + "message Opened { " + kEvent + "\n string id = 1 " + kId + "; }"),
            "bad.proto:8: id is marked id, but Opened is an event; ids are marked in aggregates, commands and "
            "processes only");
  EXPECT_EQ(ErrorOf(kWallet + "message Value {\n google.protobuf.Timestamp at = 1 " + kTime + "; }"),
            "bad.proto:8: at is marked event_time, but Value is a plain value; remove the mark, or mark a field of an "
            "event");
  EXPECT_EQ(
      ErrorOf(kWallet + "message Opened { " + kEvent + "\n int64 n = 1 [(everfold.v1.field).rules.int64.gt = 0]; }"),
      "bad.proto:8: n has rules, but Opened is an event, which is never checked; put rules on the fields of "
      "commands and of the values in them");
}

TEST(ReadModelMisuseTest, NeedsAKey) {
  EXPECT_EQ(ErrorOf(ReadModelOf("", "  string id = 1;\n")),
            "bad.proto:6: the read model Row has no key; name its fields: `read_model = {key: \"...\"}`");
}

TEST(ReadModelMisuseTest, HasAKeyOfItsFields) {
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"name\"", "  string id = 1;\n")),
            "bad.proto:6: the key of Row names name, which is no field of it; name one of its fields");
  EXPECT_EQ(ErrorOf(ReadModelOf("key: [\"id\", \"id\"]", "  string id = 1;\n")),
            "bad.proto:8: the key of Row names id twice; name it once");
}

TEST(ReadModelMisuseTest, HasAKeyThatSqliteOrders) {
  const std::string what = "; a key is made of string, bytes, bool, enum, and integers but uint64";
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"id\"", "  uint64 id = 1;\n")),
            "bad.proto:8: the key field id is uint64" + what);
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"id\"", "  float id = 1;\n")), "bad.proto:8: the key field id is float" + what);
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"id\"", "  optional string id = 1;\n")),
            "bad.proto:8: the key field id may be unset" + what);
}

TEST(ReadModelMisuseTest, KeepsTheNameOfTheTokenFree) {
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"consistency_token\"", "  string consistency_token = 1;\n")),
            "bad.proto:8: the key field consistency_token has the name of a field that every query has; rename it");
}

TEST(ReadModelMisuseTest, HasAKeyOfSingleValues) {
  const std::string what = "; a key is made of string, bytes, bool, enum, and integers but uint64";
  EXPECT_EQ(ErrorOf("message Part {}\n" + ReadModelOf("key: [\"tags\", \"labels\", \"part\", \"at\"]",
                                                      "  repeated string tags = 1;\n"
                                                      "  map<string, string> labels = 2;\n"
                                                      "  Part part = 3;\n"
                                                      "  google.protobuf.Timestamp at = 4;\n")),
            "bad.proto:9: the key field tags is repeated" + what + "\nbad.proto:10: the key field labels is a map" +
                what + "\nbad.proto:11: the key field part is a message" + what +
                "\nbad.proto:12: the key field at is a message" + what);
}

TEST(ReadModelMisuseTest, HasColumnsOfDifferentNames) {
  EXPECT_EQ(ErrorOf("import \"everfold/v1/money.proto\";\n" +
                    ReadModelOf("key: \"id\"",
                                "  string id = 1;\n  everfold.v1.Money total = 2;\n  int64 total_minor = 3;\n")),
            "bad.proto:11: the fields total and total_minor would both be the column total_minor; rename one");
}

TEST(IndexMisuseTest, HasFields) {
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"id\" indexes: {unique: true}", "  string id = 1;\n")),
            "bad.proto:6: an index of Row has no fields; name them: `indexes: {fields: \"...\"}`");
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"id\" indexes: {fields: \"name\"}", "  string id = 1;\n")),
            "bad.proto:6: an index of Row names name, which is no field of it; name one of its fields");
  EXPECT_EQ(
      ErrorOf(ReadModelOf("key: \"id\" indexes: {fields: \"a\" fields: \"a\"}", "  string id = 1;\n  string a = 2;\n")),
      "bad.proto:6: an index of Row names a twice; name it once");
}

TEST(IndexMisuseTest, HasFieldsThatSqliteOrders) {
  const std::string what =
      "; an index is made of scalars but uint64, of enums, google.protobuf.Timestamp and everfold.v1.Money";
  EXPECT_EQ(
      ErrorOf("message Part {}\n" + ReadModelOf("key: \"id\" indexes: {fields: \"n\"} indexes: {fields: \"tags\"} "
                                                "indexes: {fields: \"labels\"} indexes: {fields: \"part\"}",
                                                "  string id = 1;\n"
                                                "  uint64 n = 2;\n"
                                                "  repeated string tags = 3;\n"
                                                "  map<string, string> labels = 4;\n"
                                                "  Part part = 5;\n")),
      "bad.proto:10: the index field n is uint64" + what + "\nbad.proto:11: the index field tags is repeated" + what +
          "\nbad.proto:12: the index field labels is a map" + what +
          "\nbad.proto:13: the index field part is a message" + what);
}

TEST(IndexMisuseTest, IsNeeded) {
  const std::string fields = "  string a = 1;\n  string b = 2;\n";
  EXPECT_EQ(ErrorOf(ReadModelOf("key: [\"a\", \"b\"] indexes: {fields: \"a\"}", fields)),
            "bad.proto:6: the index (a) of Row is how its key begins, by which it is searched already; remove it");
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"a\" indexes: {fields: \"a\" unique: true}", fields)),
            "bad.proto:6: the index (a) of Row is how its key begins, by which it is searched already; remove it");
  EXPECT_EQ(ErrorOf(ReadModelOf("key: \"a\" indexes: {fields: \"b\"} indexes: {fields: \"b\" unique: true}", fields)),
            "bad.proto:6: Row has the index (b) twice; remove one");
  // That every row has an `a` of its own is more than the key says.
  EXPECT_EQ(ErrorOf(ReadModelOf("key: [\"a\", \"b\"] indexes: {fields: \"a\" unique: true}", fields)), "");
}

TEST(ReadModelMisuseTest, HasATableOfItsOwn) {
  EXPECT_EQ(ErrorOf("message HTTPCall { option (everfold.v1.message).read_model = {key: \"id\"}; string id = 1; }\n"
                    "message HttpCall { option (everfold.v1.message).read_model = {key: \"id\"}; string id = 1; }\n"),
            "bad.proto:7: HttpCall and HTTPCall would both be the table http_call; rename one");
  EXPECT_EQ(
      ErrorOf("message EverfoldCall { option (everfold.v1.message).read_model = {key: \"id\"}; string id = 1; }\n"),
      "bad.proto:6: the table everfold_call of EverfoldCall has a reserved prefix; rename the message");
}

TEST(FileMisuseTest, IsProto3) {
  const std::string file =
      "syntax = \"proto2\";\nimport \"everfold/v1/options.proto\";\nmessage Opened { " + kEvent + " }\n";
  EXPECT_EQ(RunGenerator("bad.proto", "pass=api", {{"bad.proto", file}}).error,
            "bad.proto:1: a domain is written in proto3; begin the file with `syntax = \"proto3\";`");
}

TEST(FileMisuseTest, DeclaresADomain) {
  EXPECT_EQ(
      ErrorOf("message Value { int64 n = 1; }"),
      "bad.proto:1: no message of this file has a kind; mark one with `option (everfold.v1.message)`, or list the "
      "file under VALUES of everfold_add_domain");
}

TEST(FileMisuseTest, DoesNotEndLikeAGeneratedOne) {
  EXPECT_EQ(RunGenerator("bad_api.proto", "pass=cpp", {{"bad_api.proto", BadFile(kWallet)}}).error,
            "bad_api.proto:1: '_api.proto' is how generated files end, and this one declares a domain; rename it");
}

TEST(FileMisuseTest, HasItsDomainAtTheTop) {
  EXPECT_EQ(ErrorOf(kWallet + "message Outer {\n message Opened { " + kEvent + " }\n}"),
            "bad.proto:8: Opened is an event inside of Outer; move it to the top of the file");
}

TEST(FileMisuseTest, GivesAKind) {
  EXPECT_EQ(ErrorOf(kWallet + "message Opened { option (everfold.v1.message) = {}; }"),
            "bad.proto:7: the option of Opened names no kind; write for example "
            "`option (everfold.v1.message).event = {};`");
}

TEST(NameMisuseTest, LeavesGeneratedNamesFree) {
  EXPECT_EQ(
      ErrorOf(kWallet + "message OpenRequest {}\nenum WalletCommandService { NONE = 0; }\n"
                        "message OpenFields {}"),
      "bad.proto:6: the name WalletCommandService is needed for what is generated for Wallet; rename the "
      "declaration that has it\n"
      "bad.proto:7: the name OpenRequest is needed for what is generated for Open; rename the declaration that has "
      "it\n"
      "bad.proto:9: the name OpenFields is needed for what is generated for Open; rename the declaration that has "
      "it");
}

TEST(NameMisuseTest, GeneratesEachNameOnce) {
  EXPECT_EQ(ErrorOf("message Wallet { " + kAggregate + " string id = 1 " + kId + "; }\n" + "message GetRow { " +
                    kCommand + " string id = 1 " + kId + "; }\n" + ReadModelOf("key: \"id\"", "  string id = 1;\n")),
            "bad.proto:8: the name GetRowRequest is generated for both GetRow and Row; rename one\n"
            "bad.proto:8: the name GetRowResponse is generated for both GetRow and Row; rename one");
}

TEST(ParameterTest, NamesAPass) {
  EXPECT_EQ(RunGenerator("bad.proto", "lang=go", {{"bad.proto", BadFile(kWallet)}}).error,
            "bad.proto: unknown parameter 'lang=go'; give --everfold_out=pass=api:DIR or pass=cpp:DIR");
}

TEST(ApiMisuseTest, RefusesServicesOfAnotherDomainThanTheirs) {
  const std::string stale = BadFile(
      "import \"bad.proto\";\nservice WalletCommandService {\n"
      "  option (everfold.v1.service).commands_of = \"bad.v1.Wallet\";\n}\n");
  EXPECT_EQ(
      RunGenerator("bad_api.proto", "pass=cpp", {{"bad.proto", BadFile(kWallet)}, {"bad_api.proto", stale}}).error,
      "bad_api.proto:1: the service WalletCommandService is not what its domain generates; generate this file "
      "anew, with pass=api");
}

TEST(ApiMisuseTest, RefusesServicesOfNothing) {
  const std::string lost = BadFile(
      "service PurseCommandService {\n"
      "  option (everfold.v1.service).commands_of = \"bad.v1.Purse\";\n}\n");
  EXPECT_EQ(RunGenerator("bad_api.proto", "pass=cpp", {{"bad_api.proto", lost}}).error,
            "bad_api.proto:6: PurseCommandService serves a message that is not declared; generate this file anew, with "
            "pass=api");
}

}  // namespace
}  // namespace everfold::codegen
