#include "everfold/event/event_type.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::HasSubstr;

const EventType kDeposited{"wallet.v1.Deposited", std::string(32, 'a')};
const EventType kRevised{"wallet.v1.Deposited", std::string(32, 'b')};

class TypeDictionaryTest : public testing::Test {
 protected:
  TypeDictionary types_{2};
};

void ExpectDataLoss(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST_F(TypeDictionaryTest, FindsBothWays) {
  ASSERT_TRUE(types_.Define(PartitionId(1), {1, kDeposited}).ok());
  ASSERT_TRUE(types_.Define(PartitionId(1), {2, kRevised}).ok());
  EXPECT_EQ(*types_.Find(PartitionId(1), 1), kDeposited);
  EXPECT_EQ(*types_.Find(PartitionId(1), 2), kRevised);
  EXPECT_EQ(types_.IdOf(PartitionId(1), kDeposited), 1u);
  EXPECT_EQ(types_.IdOf(PartitionId(1), kRevised), 2u);
  EXPECT_EQ(types_.LastId(PartitionId(1)), 2u);
}

TEST_F(TypeDictionaryTest, PartitionsHaveTheirOwnNumbers) {
  ASSERT_TRUE(types_.Define(PartitionId(1), {1, kDeposited}).ok());
  ASSERT_TRUE(types_.Define(PartitionId(0), {1, kRevised}).ok());
  EXPECT_EQ(*types_.Find(PartitionId(0), 1), kRevised);
  EXPECT_EQ(types_.IdOf(PartitionId(0), kDeposited), 0u);
}

TEST_F(TypeDictionaryTest, WhatIsNotDefinedIsNotFound) {
  EXPECT_EQ(types_.Find(PartitionId(0), 0), nullptr);
  EXPECT_EQ(types_.Find(PartitionId(0), 1), nullptr);
  EXPECT_EQ(types_.Find(PartitionId(7), 1), nullptr);
  EXPECT_EQ(types_.IdOf(PartitionId(7), kDeposited), 0u);
  EXPECT_EQ(types_.LastId(PartitionId(0)), 0u);
  EXPECT_EQ(types_.LastId(PartitionId(7)), 0u);
}

TEST_F(TypeDictionaryTest, WhatItFoundStaysWhereItIs) {
  ASSERT_TRUE(types_.Define(PartitionId(0), {1, kDeposited}).ok());
  const EventType* const found = types_.Find(PartitionId(0), 1);
  for (TypeId id = 2; id < 1000; ++id) {
    ASSERT_TRUE(types_.Define(PartitionId(0), {id, {"type" + std::to_string(id), ""}}).ok());
  }
  EXPECT_EQ(types_.Find(PartitionId(0), 1), found);
  EXPECT_EQ(*found, kDeposited);
}

TEST_F(TypeDictionaryTest, TheSameDefinitionAgainIsFine) {
  ASSERT_TRUE(types_.Define(PartitionId(0), {1, kDeposited}).ok());
  EXPECT_TRUE(types_.Define(PartitionId(0), {1, kDeposited}).ok());
  EXPECT_EQ(types_.LastId(PartitionId(0)), 1u);
}

TEST_F(TypeDictionaryTest, RefusesAnotherDefinitionOfAnId) {
  ASSERT_TRUE(types_.Define(PartitionId(0), {1, kDeposited}).ok());
  ExpectDataLoss(types_.Define(PartitionId(0), {1, {"wallet.v1.Closed", ""}}),
                 "partition 0 defines type 1 as wallet.v1.Closed, but it is wallet.v1.Deposited");
  ExpectDataLoss(types_.Define(PartitionId(0), {1, kRevised}),
                 "partition 0 defines type 1 as wallet.v1.Deposited, but with another fingerprint before");
}

TEST_F(TypeDictionaryTest, RefusesIdsThatLeaveAHole) {
  ExpectDataLoss(types_.Define(PartitionId(0), {0, kDeposited}), "its next type is 1");
  ExpectDataLoss(types_.Define(PartitionId(0), {2, kDeposited}), "its next type is 1");
  ExpectDataLoss(types_.Define(PartitionId(2), {1, kDeposited}), "there are 2 partitions");
}

}  // namespace
}  // namespace everfold
