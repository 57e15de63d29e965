#include "everfold/projection/read_model_manifest.h"

#include <filesystem>
#include <fstream>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadModelManifestTest : public ::testing::Test {
 protected:
  ReadModelManifest Load() {
    auto manifest = TryLoad();
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return *std::move(manifest);
  }
  absl::StatusOr<ReadModelManifest> TryLoad() { return ReadModelManifest::Load(PosixFiles(), folder()); }
  std::string folder() const { return folder_.path() + "/balances"; }
  void MakeFile(const std::string& name) { std::ofstream(folder() + "/" + name) << "bytes"; }
  std::vector<std::string> FilesThere() { return PosixFiles().List(folder()).value(); }

  TemporaryFolder folder_;
};

TEST_F(ReadModelManifestTest, BeginsWithoutAVersion) {
  const ReadModelManifest manifest = Load();
  EXPECT_EQ(manifest.versions(), ReadModelVersions());
  EXPECT_EQ(manifest.PathOf(12), folder() + "/12.db");
}

TEST_F(ReadModelManifestTest, IsWhatWasSaved) {
  const ReadModelVersions versions{.current = 4, .previous = 2, .building = 5, .next = 6, .paused = true};
  ReadModelManifest manifest = Load();
  ASSERT_TRUE(manifest.Save(versions).ok());
  EXPECT_EQ(manifest.versions(), versions);
  EXPECT_EQ(Load().versions(), versions);
}

// An older program, which would swap it in by itself, must not read it.
TEST_F(ReadModelManifestTest, ThatAVersionIsHeldIsAnotherFormat) {
  const ReadModelVersions versions{.current = 4, .previous = 2, .building = 5, .next = 6, .held = true};
  ReadModelManifest manifest = Load();
  ASSERT_TRUE(manifest.Save(versions).ok());
  EXPECT_EQ(Load().versions(), versions);
  EXPECT_THAT(ReadFile(PosixFiles(), folder() + "/MANIFEST").value(), HasSubstr("everfold-read-models 2\n"));
}

TEST_F(ReadModelManifestTest, DeletesTheDatabasesThatItDoesNotName) {
  ASSERT_TRUE(Load().Save({.current = 4, .previous = 2, .building = 5, .next = 6}).ok());
  for (const char* name : {"1.db", "2.db", "3.db", "3.db-wal", "3.db-shm", "4.db", "4.db-wal", "5.db", "6.db",
                           "notes.txt", "x.db", "3.db.bak", "ahead.db", "ahead.db-wal", "ahead.lock"}) {
    MakeFile(name);
  }
  ReadModelManifest manifest = Load();
  EXPECT_THAT(FilesThere(), ElementsAre("2.db", "3.db.bak", "4.db", "4.db-wal", "5.db", "MANIFEST", "ahead.db",
                                        "ahead.db-wal", "ahead.lock", "notes.txt", "x.db"));
  ASSERT_TRUE(manifest.Save({.current = 5, .previous = 4, .building = 0, .next = 6}).ok());
  EXPECT_THAT(FilesThere(), ElementsAre("3.db.bak", "4.db", "4.db-wal", "5.db", "MANIFEST", "ahead.db", "ahead.db-wal",
                                        "ahead.lock", "notes.txt", "x.db"));
}

TEST_F(ReadModelManifestTest, EveryDamagedByteIsFound) {
  ASSERT_TRUE(Load().Save({.current = 4, .previous = 2, .building = 5, .next = 6}).ok());
  const std::string path = folder() + "/MANIFEST";
  const std::string good = ReadFile(PosixFiles(), path).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::ofstream(path) << bad;
    const absl::Status status = ReadModelManifest::Read(PosixFiles(), folder()).status();
    EXPECT_FALSE(status.ok()) << "byte " << i;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path)) << "byte " << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::ofstream(path) << good.substr(0, size);
    EXPECT_EQ(ReasonOf(ReadModelManifest::Read(PosixFiles(), folder()).status()), reason::kReadModelDamaged)
        << size << " bytes";
  }
}

// Everything is kept, itself included, until another version is queried.
TEST_F(ReadModelManifestTest, InPlaceOfADamagedOneAnotherBegins) {
  ASSERT_TRUE(Load().Save({.current = 4, .previous = 2, .building = 5, .next = 6}).ok());
  for (const char* name : {"2.db", "4.db", "4.db-wal", "7.db"}) MakeFile(name);
  std::ofstream(folder() + "/MANIFEST") << "damaged";
  ReadModelManifest manifest = Load();
  EXPECT_EQ(manifest.versions(), (ReadModelVersions{.current = 0, .previous = 0, .building = 0, .next = 8}));
  EXPECT_EQ(manifest.damage().message(), folder() + "/MANIFEST is damaged");
  EXPECT_EQ(ReasonOf(manifest.damage()), reason::kReadModelDamaged);
  ASSERT_TRUE(manifest.Save({.current = 0, .previous = 0, .building = 8, .next = 9}).ok());

  manifest = Load();  // after a restart, too
  EXPECT_EQ(manifest.versions().building, 8u);
  EXPECT_EQ(manifest.damage().message(), folder() + "/MANIFEST.damaged is damaged");
  EXPECT_THAT(FilesThere(), ElementsAre("2.db", "4.db", "4.db-wal", "7.db", "MANIFEST", "MANIFEST.damaged"));
  EXPECT_EQ(ReadFile(PosixFiles(), folder() + "/MANIFEST.damaged").value(), "damaged");

  MakeFile("8.db");
  ASSERT_TRUE(manifest.Save({.current = 8, .previous = 0, .building = 0, .next = 9}).ok());
  EXPECT_TRUE(manifest.damage().ok());
  EXPECT_THAT(FilesThere(), ElementsAre("8.db", "MANIFEST"));
  EXPECT_TRUE(Load().damage().ok());
}

TEST_F(ReadModelManifestTest, DeletesWhatAKilledQueryHasPutAside) {
  ASSERT_TRUE(Load().Save({.current = 1, .previous = 0, .building = 0, .next = 2}).ok());
  MakeFile("spill-a1B2c3");
  Load();
  EXPECT_THAT(FilesThere(), ElementsAre("MANIFEST"));
}

TEST_F(ReadModelManifestTest, NewerFormatIsRefused) {
  Load();
  std::ofstream(folder() + "/MANIFEST") << "everfold-read-models 3\nwhatever\n";
  const absl::Status status = TryLoad().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kFormatUnknown);
}

}  // namespace
}  // namespace everfold
