#include "everfold/event/fingerprint.h"

#include "everfold/base/digest.h"
#include "everfold/v1/options.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

namespace pb = google::protobuf;

struct FailOnError final : pb::io::ErrorCollector {
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    ADD_FAILURE() << line << ":" << column << ": " << message;
  }
};

// The fingerprint of message t.Subject in a file of these declarations.
std::string Fingerprint(const std::string& declarations, const std::string& syntax = "proto3") {
  const std::string text =
      "syntax = \"" + syntax + "\"; package t; import \"everfold/v1/options.proto\";" + declarations;
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  FailOnError errors;
  pb::io::Tokenizer tokenizer(&input, &errors);
  pb::compiler::Parser parser;
  pb::FileDescriptorProto file;
  file.set_name("t.proto");
  EXPECT_TRUE(parser.Parse(&tokenizer, &file)) << declarations;
  pb::DescriptorPool pool(pb::DescriptorPool::generated_pool());
  const pb::FileDescriptor* built = pool.BuildFile(file);
  EXPECT_NE(built, nullptr) << declarations;
  return built == nullptr ? "" : HexEncode(FingerprintOf(*built->FindMessageTypeByName("Subject")));
}

class FingerprintTest : public testing::Test {
 protected:
  FingerprintTest() { v1::MessageOptions::descriptor(); }  // the generated file is in the pool

  static void ExpectSame(const std::string& a, const std::string& b) { EXPECT_EQ(Fingerprint(a), Fingerprint(b)) << b; }
  static void ExpectOther(const std::string& a, const std::string& b) {
    EXPECT_NE(Fingerprint(a), Fingerprint(b)) << b;
  }
};

TEST_F(FingerprintTest, HasTheLengthOfSha256) { EXPECT_EQ(Fingerprint("message Subject {}").size(), 64u); }

TEST_F(FingerprintTest, CommentsAndOrderDoNotCount) {
  ExpectSame(
      "message Subject { string a = 1; int32 b = 2; Inner i = 3; Kind k = 4; } message Inner { string x = 1; }"
      "enum Kind { ZERO = 0; ONE = 1; TWO = 2; }",
      "/* words */ enum Kind { ZERO = 0; TWO = 2; // two\n ONE = 1; } message Inner { string x = 1; }"
      "message Subject { Kind k = 4; int32 b = 2; /* more */ Inner i = 3; string a = 1; }");
}

TEST_F(FingerprintTest, WhatTheMessageDoesNotReachDoesNotCount) {
  ExpectSame("message Subject { string a = 1; }", "message Subject { string a = 1; } message Other { Subject s = 1; }");
}

TEST_F(FingerprintTest, OtherOptionsDoNotCount) {
  ExpectSame("message Subject { string a = 1; }",
             "option java_package = \"x\"; message Subject { string a = 1 [deprecated = true]; reserved 2; }");
}

TEST_F(FingerprintTest, NumbersTypesAndNamesCount) {
  const std::string base = "message Subject { string a = 1; }";
  ExpectOther(base, "message Subject { string a = 2; }");
  ExpectOther(base, "message Subject { bytes a = 1; }");
  ExpectOther(base, "message Subject { string b = 1; }");
  ExpectOther(base, "message Subject { string a = 1; string b = 2; }");
  ExpectOther(base, "message Subject {}");
  ExpectOther("message Subject { int32 a = 1; }", "message Subject { sint32 a = 1; }");
}

TEST_F(FingerprintTest, LabelsAndPresenceCount) {
  const std::string base = "message Subject { string a = 1; }";
  ExpectOther(base, "message Subject { repeated string a = 1; }");
  ExpectOther(base, "message Subject { optional string a = 1; }");
  EXPECT_NE(Fingerprint("message Subject { optional string a = 1; }", "proto2"),
            Fingerprint("message Subject { required string a = 1; }", "proto2"));
}

TEST_F(FingerprintTest, OneofsCount) {
  const std::string base = "message Subject { oneof o { string a = 1; string b = 2; } }";
  ExpectOther(base, "message Subject { optional string a = 1; optional string b = 2; }");
  ExpectOther(base, "message Subject { oneof p { string a = 1; string b = 2; } }");
  ExpectOther(base, "message Subject { oneof o { string a = 1; } oneof p { string b = 2; } }");
}

TEST_F(FingerprintTest, WhatTheFieldsReachCounts) {
  const std::string subject = "message Subject { Inner i = 1; }";
  ExpectOther(subject + "message Inner { string a = 1; }", subject + "message Inner { string a = 2; }");
  const std::string map = "message Subject { map<string, Inner> m = 1; }";
  ExpectOther(map + "message Inner { string a = 1; }", map + "message Inner { string a = 2; }");
  const std::string kind = "message Subject { Kind k = 1; }";
  ExpectOther(kind + "enum Kind { ZERO = 0; ONE = 1; }", kind + "enum Kind { ZERO = 0; ONE = 2; }");
  ExpectOther(kind + "enum Kind { ZERO = 0; ONE = 1; }", kind + "enum Kind { ZERO = 0; UNO = 1; }");
}

TEST_F(FingerprintTest, AMessageMayContainItself) {
  ExpectOther("message Subject { Subject child = 1; }", "message Subject { Subject child = 2; }");
  ExpectOther("message Subject { Inner i = 1; } message Inner { Subject s = 1; }",
              "message Subject { Inner i = 1; } message Inner { Subject s = 2; }");
}

TEST_F(FingerprintTest, OurOptionsCount) {
  const std::string base = "message Subject { string a = 1; int64 b = 2; }";
  ExpectOther(base, "message Subject { option (everfold.v1.message).event = {}; string a = 1; int64 b = 2; }");
  ExpectOther(base, "message Subject { string a = 1 [(everfold.v1.field).id = true]; int64 b = 2; }");
  ExpectOther("message Subject { int64 b = 2 [(everfold.v1.field).rules.int64.gt = 0]; }",
              "message Subject { int64 b = 2 [(everfold.v1.field).rules.int64.gt = 1]; }");
}

// Stored events carry it: it changes only where a new one is meant to be another.
TEST_F(FingerprintTest, IsStable) {
  EXPECT_EQ(
      Fingerprint("message Subject { option (everfold.v1.message).event = {}; repeated string a = 1; Kind k = 2; }"
                  "enum Kind { ZERO = 0; ONE = 1; }"),
      "fe101ec1fc608d445937ecf68127570712c8f342686bd6da897ca06c1a547390");
}

}  // namespace
}  // namespace everfold
