#include "everfold/app/type_copies.h"

#include <gmock/gmock.h>

#include "everfold/app/type_file.h"
#include "everfold/base/error.h"
#include "everfold/testing/faulty_disk.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TypeCopiesTest : public ::testing::Test {
 protected:
  TypeCopiesTest() { EXPECT_EQ(disk_.MakeDirectory("/a"), absl::OkStatus()); }

  void Write(const std::string& path, const std::vector<std::string>& fingerprints) {
    v1::TypeDescriptions types;
    for (const std::string& fingerprint : fingerprints) types.add_types()->set_fingerprint(fingerprint);
    EXPECT_EQ(WriteTypeFile(disk_, path, types), absl::OkStatus());
  }
  std::vector<std::string> Fingerprints(const std::string& path) {
    std::vector<std::string> fingerprints;
    const v1::TypeDescriptions types = ReadTypeFile(disk_, path).value();
    for (const v1::TypeDescription& type : types.types()) fingerprints.push_back(type.fingerprint());
    return fingerprints;
  }
  // What is left out, or "".
  std::string Copy() {
    std::string left_out = "nothing was said";
    EXPECT_EQ(CopyTypes(disk_, "/a/from", "/a/to", left_out), absl::OkStatus());
    return left_out;
  }
  void MakeNewer(const std::string& path) { EXPECT_EQ(ReplaceFile(disk_, path, NewerFile()), absl::OkStatus()); }
  static std::string NewerFile() { return std::string("EVTY\x02\0\0\0", 8) + std::string(32, 'd'); }

  FaultyDisk disk_;
};

TEST_F(TypeCopiesTest, NothingIsCopiedWhereThereIsNothing) {
  EXPECT_EQ(Copy(), "");
  EXPECT_FALSE(disk_.Exists("/a/to"));
}

TEST_F(TypeCopiesTest, DescriptionsAreAddedToThoseThatAreThere) {
  Write("/a/from", {"one", "two"});
  EXPECT_EQ(Copy(), "");
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("one", "two"));
  Write("/a/from", {"three", "two"});
  EXPECT_EQ(Copy(), "");
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("one", "two", "three"));
}

TEST_F(TypeCopiesTest, ACopyIsDurable) {
  Write("/a/from", {"one"});
  EXPECT_EQ(Copy(), "");
  SeededRandom random(1);
  disk_.LosePower(random);
  disk_.Restore();
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("one"));
}

TEST_F(TypeCopiesTest, ADamagedFileIsLeftOutAndTold) {
  Write("/a/to", {"one"});
  Write("/a/from", {"two"});
  disk_.FlipBit("/a/from", 45, 1);
  EXPECT_THAT(Copy(), HasSubstr("/a/from, which describes the types of stored events, is damaged"));
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("one"));
}

TEST_F(TypeCopiesTest, ADamagedCopyIsReplaced) {
  Write("/a/to", {"one"});
  Write("/a/from", {"two"});
  disk_.FlipBit("/a/to", 45, 1);
  EXPECT_EQ(Copy(), "");
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("two"));
}

TEST_F(TypeCopiesTest, WhatANewerProgramWroteStays) {
  Write("/a/from", {"two"});
  MakeNewer("/a/to");
  EXPECT_THAT(Copy(), HasSubstr("/a/to has format version 2, this program knows 1"));
  EXPECT_EQ(ReadFile(disk_, "/a/to").value(), NewerFile());
  Write("/a/to", {"one"});
  MakeNewer("/a/from");
  EXPECT_THAT(Copy(), HasSubstr("/a/from has format version 2"));
  EXPECT_THAT(Fingerprints("/a/to"), ElementsAre("one"));
}

TEST_F(TypeCopiesTest, ADiskThatFailsIsAnError) {
  Write("/a/from", {"one"});
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever);
  std::string left_out;
  const absl::Status status = CopyTypes(disk_, "/a/from", "/a/to", left_out);
  EXPECT_EQ(ReasonOf(status), reason::kDiskFull) << status;
  EXPECT_THAT(left_out, IsEmpty());
}

}  // namespace
}  // namespace everfold
