// Every kind of file of a store, damaged in every way: the store refuses, or says so when the damaged part is read, or
// nothing is different. It never answers wrongly.
//
// What no store can notice is left out: an older copy of the whole directory, which is a store that was whole once, and
// an older copy of the high-water file together with the loss of groups that only the newer one marked. The older
// high-water file alone is in, and harmless.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "tests/fault/damage.h"
#include "tests/fault/damaged_store.h"

namespace everfold {
namespace {

constexpr std::size_t kFlips = 24;
// Of many files of one kind some are damaged in all ways; the others are like them.
constexpr std::size_t kFilesOfAKind = 4;

class CorruptionMatrixTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    intact_ = new IntactStore(MakeIntactStore(7));
    foreign_ = new IntactStore(MakeIntactStore(8));
  }
  static void TearDownTestSuite() {
    delete intact_;
    delete foreign_;
  }

  Outcome Try(const std::string& path, const Damage& damage) {
    const std::unique_ptr<FaultyDisk> disk = intact_->disk->Copy();
    damage.apply(*disk);
    const Judgement judged = Judge(*intact_, *disk);
    EXPECT_NE(judged.outcome, Outcome::kSilent) << path << ", " << damage.what << ": " << judged.words;
    EXPECT_NE(judged.outcome, Outcome::kWrongWord) << path << ", " << damage.what << ": " << judged.words;
    return judged.outcome;
  }

  void LoseDirectory(const std::string& directory, Outcome expected) {
    const std::unique_ptr<FaultyDisk> disk = intact_->disk->Copy();
    ASSERT_TRUE(disk->RemoveAll(directory).ok());
    const Judgement judged = Judge(*intact_, *disk);
    EXPECT_EQ(judged.outcome, expected) << judged.words;
  }

  static IntactStore* intact_;
  static IntactStore* foreign_;
};

IntactStore* CorruptionMatrixTest::intact_ = nullptr;
IntactStore* CorruptionMatrixTest::foreign_ = nullptr;

void Print(const std::map<std::string, std::map<Outcome, int>>& table) {
  std::map<Outcome, int> sums;
  const auto print = [](const std::string& kind, std::map<Outcome, int> row) {
    std::printf("%-32s %8d %8d %8d %8d\n", kind.c_str(), row[Outcome::kRefused], row[Outcome::kFound],
                row[Outcome::kHarmless], row[Outcome::kSilent] + row[Outcome::kWrongWord]);
  };
  std::printf("%-32s %8s %8s %8s %8s\n", "", "refused", "found", "harmless", "silent");
  for (const auto& [kind, row] : table) {
    print(kind, row);
    for (const auto& [outcome, count] : row) sums[outcome] += count;
  }
  print("all", sums);
}

TEST_F(CorruptionMatrixTest, NoDamageToAnyFileIsSilent) {
  std::map<std::string, std::map<Outcome, int>> table;
  std::map<std::string, std::size_t> files;
  int stores = 0;
  for (const auto& [path, kind] : intact_->kinds) {
    if (++files[kind] > kFilesOfAKind) continue;
    for (const Damage& damage : DamagesTo(path, *intact_, *foreign_, kFlips)) {
      ++table[kind][Try(path, damage)];
      ++stores;
    }
  }
  Print(table);
  EXPECT_GE(stores, 400);
  std::vector<std::string> kinds;
  for (const auto& [kind, count] : files) kinds.push_back(kind);
  EXPECT_THAT(kinds,
              testing::IsSupersetOf({"identity", "high-water", "journal file in use", "journal file of sealed groups",
                                     "sealed CURRENT", "sealed MANIFEST", "sealed OPTIONS", "sealed SST",
                                     "sealed SST of the checkpoint", "index CURRENT", "index MANIFEST", "index OPTIONS",
                                     "index SST", "index SST of the checkpoint"}));
}

// The file is there only while an opening writes records anew; the power failed right then.
TEST_F(CorruptionMatrixTest, NoDamageToRecordsThatAreBeingRewrittenIsSilent) {
  const IntactStore cut = MakeStoreInRewriting(9);
  std::map<Outcome, int> outcomes;
  for (const Damage& damage : DamagesTo("/store/rewrite", cut, *foreign_, kFlips)) {
    if (damage.what == "lose") continue;  // that is how a rewriting ends, and nothing tells it from this
    const std::unique_ptr<FaultyDisk> disk = cut.disk->Copy();
    damage.apply(*disk);
    const Judgement judged = Judge(cut, *disk);
    EXPECT_EQ(judged.outcome, Outcome::kRefused) << damage.what << ": " << judged.words;
    ++outcomes[judged.outcome];
  }
  Print({{"records being rewritten", outcomes}});
  EXPECT_EQ(Judge(cut, *cut.disk->Copy()).outcome, Outcome::kHarmless);
}

TEST_F(CorruptionMatrixTest, TheUndamagedStoreIsWhole) {
  const Judgement judged = Judge(*intact_, *intact_->disk->Copy());
  EXPECT_EQ(judged.outcome, Outcome::kHarmless) << judged.words;
}

TEST_F(CorruptionMatrixTest, AJournalThatIsGoneIsRefused) { LoseDirectory("/store/journal", Outcome::kRefused); }
TEST_F(CorruptionMatrixTest, SealedChunksThatAreGoneAreRefused) { LoseDirectory("/store/sealed", Outcome::kRefused); }
TEST_F(CorruptionMatrixTest, AnIndexThatIsGoneIsBuiltAnew) { LoseDirectory("/index", Outcome::kHarmless); }

}  // namespace
}  // namespace everfold
