#include "everfold/testing/disk_content.h"

#include <algorithm>
#include <functional>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;

constexpr std::size_t kSector = DiskContent::kSectorBytes;

std::string Letters(char letter, std::size_t sectors) { return std::string(sectors * kSector, letter); }

DiskContent Durable(std::string bytes) {
  DiskContent content;
  content.Become(std::move(bytes));
  return content;
}

// What was seen to be left of a content by losses of power. Printed as a number, for it is long.
struct Remains : std::set<std::string> {
  friend void PrintTo(const Remains& remains, std::ostream* out) { *out << remains.size() << " different contents"; }
};

Remains AfterLosses(const DiskContent& content) {
  SeededRandom random(1);
  Remains remains;
  for (int i = 0; i < 500; ++i) {
    DiskContent left = content;
    left.LosePower(random);
    remains.insert(left.bytes());
  }
  return remains;
}

bool Any(const Remains& remains, const std::function<bool(const std::string&)>& is) {
  return std::any_of(remains.begin(), remains.end(), is);
}

std::size_t SectorsOf(const std::string& bytes, char letter) {
  std::size_t sectors = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kSector) {
    sectors += bytes.compare(at, kSector, Letters(letter, 1)) == 0 ? 1 : 0;
  }
  return sectors;
}

TEST(DiskContent, HoldsWhatWasWritten) {
  DiskContent content;
  content.Write(0, "0123456789");
  content.Write(8, "xyz");
  content.Write(13, "!");
  EXPECT_EQ(content.bytes(), std::string("01234567xyz\0\0!", 14));
  content.Resize(2);
  content.Resize(4);
  EXPECT_EQ(content.bytes(), std::string("01\0\0", 4));
}

TEST(DiskContent, WhatWasSyncedSurvives) {
  DiskContent content;
  content.Write(0, Letters('a', 3) + "tail");
  content.Resize(kSector);
  content.Write(100, "xyz");
  content.Sync();
  EXPECT_THAT(AfterLosses(content), ElementsAre(content.bytes()));
}

TEST(DiskContent, OfAnOverwriteEachSectorIsKeptOrLost) {
  DiskContent content = Durable(Letters('a', 8));
  content.Write(0, Letters('b', 8));
  const Remains remains = AfterLosses(content);
  EXPECT_THAT(remains, AllOf(Contains(Letters('a', 8)), Contains(Letters('b', 8))));
  EXPECT_TRUE(Any(remains, [](const std::string& bytes) {
    return SectorsOf(bytes, 'a') == 4 && SectorsOf(bytes, 'b') == 4 && bytes.back() == 'b';
  })) << "a later sector was written before an earlier one";
}

TEST(DiskContent, AWriteMayBeTornAnywhere) {
  DiskContent content = Durable(Letters('a', 1));
  content.Write(0, Letters('b', 1));
  EXPECT_THAT(AfterLosses(content), Contains(std::string(200, 'b') + std::string(312, 'a')));
}

TEST(DiskContent, BitsFlipOnlyInWhatWasNotSynced) {
  DiskContent content = Durable(Letters('a', 2));
  content.Write(100, std::string(50, 'b'));
  const Remains remains = AfterLosses(content);
  for (const std::string& bytes : remains) {
    ASSERT_EQ(bytes.size(), 2 * kSector);
    EXPECT_EQ(bytes.substr(0, 100), std::string(100, 'a'));
    EXPECT_EQ(bytes.substr(150), std::string(2 * kSector - 150, 'a'));
  }
  EXPECT_TRUE(Any(remains, [](const std::string& bytes) { return bytes.find_first_not_of("ab") != std::string::npos; }))
      << "no bit was flipped";
}

TEST(DiskContent, OfTwoWritesTheSecondMayBeLostAlone) {
  DiskContent content = Durable(Letters('a', 1));
  content.Write(0, Letters('b', 1));
  content.Write(0, Letters('c', 1));
  EXPECT_THAT(AfterLosses(content),
              AllOf(Contains(Letters('a', 1)), Contains(Letters('b', 1)), Contains(Letters('c', 1))));
}

TEST(DiskContent, OfTwoSectorsTheOneThatWasWrittenSecondMayBeKeptAlone) {
  DiskContent content = Durable(Letters('a', 2));
  content.Write(0, Letters('b', 1));
  content.Write(kSector, Letters('c', 1));
  EXPECT_THAT(AfterLosses(content), Contains(Letters('a', 1) + Letters('c', 1)));
}

TEST(DiskContent, AnAppendMayBeLostCutOrLeftAsZeros) {
  DiskContent content = Durable("durable");
  content.Write(7, "12345");
  EXPECT_THAT(AfterLosses(content), AllOf(Contains("durable"), Contains("durable12345"), Contains("durable123"),
                                          Contains(std::string("durable\0\0\0\0\0", 12))));
}

TEST(DiskContent, AppendsThatAreKeptInOrderAreLostFromTheEndOnly) {
  DiskContent content = Durable("durable");
  content.KeepAppendsInOrder();
  const std::string appended = Letters('a', 4) + Letters('b', 4);
  content.Write(7, appended);
  content.Write(7 + appended.size(), "last");
  const std::string whole = content.bytes();
  const Remains remains = AfterLosses(content);
  for (const std::string& bytes : remains) EXPECT_TRUE(bytes.size() >= 7 && whole.starts_with(bytes));
  EXPECT_THAT(remains, AllOf(Contains("durable"), Contains("durable" + appended), Contains(whole)));
  content.Write(0, "D");
  EXPECT_TRUE(Any(AfterLosses(content), [&](const std::string& bytes) {
    return !whole.substr(1).starts_with(bytes.substr(1));
  })) << "an overwrite is lost in any order";
}

TEST(DiskContent, WhatWasCutOffMayComeBack) {
  DiskContent content = Durable(Letters('a', 4));
  content.Resize(10);
  const Remains remains = AfterLosses(content);
  EXPECT_THAT(remains, AllOf(Contains(Letters('a', 4)), Contains(std::string(10, 'a'))));
}

TEST(DiskContent, WritesThatReplaceACutTailMayLeaveTheOldOne) {
  DiskContent content = Durable(Letters('a', 2));
  content.Resize(0);
  content.Write(0, Letters('b', 2));
  EXPECT_THAT(AfterLosses(content), AllOf(Contains(Letters('a', 2)), Contains(Letters('b', 2)), Contains("")));
}

TEST(DiskContent, ASyncAfterAFailedOneSaysNothingOfWhatWasWrittenBefore) {
  DiskContent content = Durable(Letters('a', 2));
  content.Write(0, Letters('b', 1));
  content.FailSync();
  content.Write(kSector, Letters('c', 1));
  content.Sync();
  const Remains remains = AfterLosses(content);
  EXPECT_THAT(remains, AllOf(Contains(Letters('a', 1) + Letters('c', 1)), Contains(Letters('b', 1) + Letters('c', 1))));
  for (const std::string& bytes : remains) EXPECT_EQ(bytes.substr(kSector), Letters('c', 1));
}

TEST(DiskContent, WhatIsWrittenAgainAfterAFailedSyncAndSyncedIsDurable) {
  DiskContent content = Durable(std::string(30, 'a'));
  content.Write(0, std::string(30, 'b'));
  content.FailSync();
  content.Write(10, std::string(10, 'c'));
  content.Sync();
  const Remains remains = AfterLosses(content);
  for (const std::string& bytes : remains) EXPECT_EQ(bytes.substr(10, 10), std::string(10, 'c'));
  EXPECT_THAT(remains, Contains(std::string(10, 'a') + std::string(10, 'c') + std::string(10, 'a')));
  content.Write(0, std::string(30, 'd'));
  content.Sync();
  EXPECT_THAT(AfterLosses(content), ElementsAre(std::string(30, 'd')));
}

TEST(DiskContent, TheSizeAfterAFailedSyncCoversWhatWasSyncedSince) {
  DiskContent content = Durable("durable");
  content.Write(7, "0123456789");
  content.FailSync();
  content.Write(7, "xyz");
  content.Sync();
  const Remains remains = AfterLosses(content);
  for (const std::string& bytes : remains) EXPECT_EQ(bytes.substr(0, 10), "durablexyz");
  EXPECT_THAT(remains, AllOf(Contains("durablexyz"), Contains("durablexyz3456789")));
}

TEST(DiskContent, AfterALossOfPowerAllIsDurable) {
  DiskContent content = Durable(Letters('a', 8));
  content.Write(0, Letters('b', 8));
  SeededRandom random(3);
  content.LosePower(random);
  EXPECT_THAT(AfterLosses(content), ElementsAre(content.bytes()));
}

}  // namespace
}  // namespace everfold
