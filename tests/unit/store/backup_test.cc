#include "everfold/log/embedded/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "everfold/base/error.h"
#include "everfold/log/embedded/store_parts.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/copied_store.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void FlipByteInTheMiddle(const fs::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
  stream.seekg(middle);
  const char byte = static_cast<char>(stream.get() ^ 0x55);
  stream.seekp(middle);
  stream.put(byte);
}

class BackupTest : public ::testing::Test {
 protected:
  fs::path Source() const { return scratch_.path() / "source"; }
  fs::path Restored() const { return scratch_.path() / "restored"; }
  std::string Backups() const { return (scratch_.path() / "backups").string(); }

  absl::StatusOr<BackupManifest> Restore(std::uint32_t number = 0) {
    return RestoreBackup({.backups = Backups(), .number = number, .directory = (Restored() / "log").string()}, random_);
  }
  std::vector<PartitionHead> HeadsOf(EmbeddedLog& log) {
    std::vector<PartitionHead> heads;
    for (std::uint32_t i = 0; i < log.identity().partitions; ++i) heads.push_back(log.Head(PartitionId(i)));
    return heads;
  }

  ScratchDirectory scratch_;
  SystemRandom random_;
};

TEST_F(BackupTest, RestoresWhatWasAcknowledgedBeforeIt) {
  CopiedStore source(Source());
  ASSERT_EQ(source.status(), absl::OkStatus());
  source.Append(300);
  const auto made = source.Backup(Backups());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->number, 1u);
  EXPECT_GT(made->bytes_copied, 0u);
  const auto ledger = source.ledger();
  const std::vector<PartitionHead> heads = HeadsOf(source.log());
  source.Append(50);  // not in it

  const auto manifest = Restore();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->checkpoint.heads, heads);
  EXPECT_EQ(manifest->events(), made->events);
  EXPECT_EQ(manifest->made_at, absl::FromUnixSeconds(1'700'000'000));
  CopiedStore restored(Restored());
  ASSERT_EQ(restored.status(), absl::OkStatus());
  EXPECT_EQ(HeadsOf(restored.log()), heads);
  EXPECT_EQ(source.index_began_anew(), "");
  EXPECT_EQ(restored.index_began_anew(), "it is missing");
  EXPECT_EQ(restored.Read(ledger), ledger);
  EXPECT_EQ(restored.Verify(), absl::OkStatus());
}

TEST_F(BackupTest, ARestoredStoreHasANewEpochAndTheOldKeyAndGoesOn) {
  CopiedStore source(Source());
  source.Append(100);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  ASSERT_TRUE(Restore().ok());
  for (int opening = 0; opening < 2; ++opening) {
    CopiedStore restored(Restored());
    ASSERT_EQ(restored.status(), absl::OkStatus());
    EXPECT_NE(restored.log().identity().epoch, source.log().identity().epoch);
    EXPECT_EQ(restored.log().identity().key, source.log().identity().key);
    EXPECT_EQ(restored.log().identity().partitions, source.log().identity().partitions);
    restored.GoOnFrom(100 + 20 * opening);
    restored.Append(20);
    EXPECT_EQ(restored.store().DurableSequence(), Sequence(120 + 20 * static_cast<std::uint64_t>(opening)));
    EXPECT_EQ(restored.Verify(), absl::OkStatus());
  }
}

TEST_F(BackupTest, HoldsEverythingAcknowledgedUnderLoad) {
  CopiedStore source(Source());
  source.Append(200);
  const auto ledger = source.ledger();
  absl::StatusOr<MadeBackup> made;
  source.AppendAround(2000, [&] { made = source.Backup(Backups()); });
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_TRUE(Restore().ok());
  CopiedStore restored(Restored());
  ASSERT_EQ(restored.status(), absl::OkStatus());
  EXPECT_EQ(restored.Verify(), absl::OkStatus());
  const auto read = restored.Read(ledger);
  for (const auto& [stream, payloads] : ledger) {
    ASSERT_GE(read.at(stream).size(), payloads.size());
    EXPECT_TRUE(std::equal(payloads.begin(), payloads.end(), read.at(stream).begin())) << stream;
  }
}

TEST_F(BackupTest, ASecondOneCopiesWhatIsNew) {
  CopiedStore source(Source());
  source.Append(5000);
  const auto first = source.Backup(Backups());
  ASSERT_TRUE(first.ok()) << first.status();
  source.Append(10);
  const auto second = source.Backup(Backups());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->number, 2u);
  EXPECT_LT(second->bytes_copied, first->bytes_copied / 4);
  EXPECT_THAT(*BackupNumbers(PosixFiles(), Backups()), ElementsAre(1, 2));
  const auto manifest = Restore(1);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->events(), first->events);
}

TEST_F(BackupTest, TakesRelativeDirectories) {
  CopiedStore source(Source());
  source.Append(20);
  const auto made = source.Backup(fs::relative(Backups()).string());
  ASSERT_TRUE(made.ok()) << made.status();
  const RestoreOptions options{.backups = fs::relative(Backups()).string(),
                               .directory = fs::relative(Restored() / "log").string()};
  const auto manifest = RestoreBackup(options, random_);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->events(), made->events);
  CopiedStore restored(Restored());
  EXPECT_EQ(restored.Verify(), absl::OkStatus());
}

TEST_F(BackupTest, LeavesNothingOfOneThatCannotBeFinished) {
  CopiedStore source(Source());
  source.Append(20);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  fs::create_directories(BackupManifestPath(Backups(), 2) + "/in the way");
  EXPECT_FALSE(source.Backup(Backups()).ok());
  EXPECT_TRUE(fs::exists(SealedDirectory(Backups()) + "/meta/1"));
  EXPECT_FALSE(fs::exists(SealedDirectory(Backups()) + "/meta/2"));
  EXPECT_FALSE(fs::exists(SealedDirectory(Backups()) + "/private/2"));
  EXPECT_TRUE(Restore(1).ok());
}

TEST_F(BackupTest, ReliesOnNoSharedFileThatIsDamaged) {
  CopiedStore source(Source());
  source.Append(500);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  source.Append(10);
  for (const auto& entry : fs::directory_iterator(SealedDirectory(Backups()) + "/shared_checksum")) {
    FlipByteInTheMiddle(entry.path());
  }
  const auto made = source.Backup(Backups());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kDataLoss) << made.status();
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("Choose another directory"));
  EXPECT_THAT(*BackupNumbers(PosixFiles(), Backups()), ElementsAre(1));
  EXPECT_FALSE(fs::exists(SealedDirectory(Backups()) + "/meta/2"));
}

TEST_F(BackupTest, RefusesDirectoriesInsideEachOther) {
  CopiedStore source(Source());
  source.Append(5);
  fs::create_directory_symlink(Source(), scratch_.path() / "link");
  for (const fs::path& inside : {Source() / "log", Source() / "log" / "backups", Source(), Source() / "." / "log" / "",
                                 scratch_.path() / "link" / "log" / "b"}) {
    const auto made = source.Backup(inside.string());
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument) << inside << made.status();
    EXPECT_THAT(std::string(made.status().message()), HasSubstr((Source() / "log").string()));
  }
  ASSERT_TRUE(source.Backup(Source().string() + "-backups").ok());
  ASSERT_TRUE(source.Backup(Backups()).ok());
  const RestoreOptions options{.backups = Backups(), .directory = Backups() + "/restored"};
  EXPECT_EQ(RestoreBackup(options, random_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(fs::exists(Backups() + "/restored"));
}

TEST_F(BackupTest, RefusesTheDirectoryOfAnotherStore) {
  CopiedStore source(Source());
  source.Append(5);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  CopiedStore other(scratch_.path() / "other");
  other.Append(5);
  const auto made = other.Backup(Backups());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(made.status()), reason::kStoreMismatch);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("holds backups of another store"));
}

TEST_F(BackupTest, RestoresOnlyWhereNothingIs) {
  CopiedStore source(Source());
  source.Append(5);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  fs::create_directories(Restored() / "log");
  std::ofstream(Restored() / "log" / "a file") << "of somebody";
  EXPECT_EQ(Restore().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Restore().status().message()), HasSubstr("is not empty, it holds a file"));
}

TEST_F(BackupTest, RefusesANumberThatThereIsNot) {
  EXPECT_EQ(Restore().status(), absl::InvalidArgumentError("there is no backup in " + Backups()));
  CopiedStore source(Source());
  source.Append(5);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  EXPECT_EQ(Restore(7).status(), absl::InvalidArgumentError("there is no backup 7 in " + Backups() + "; there is: 1"));
}

TEST_F(BackupTest, WhatTheVerifierRefusesIsNoStore) {
  CopiedStore source(Source());
  source.Append(5);
  ASSERT_TRUE(source.Backup(Backups()).ok());
  const auto refuse = [](const PartitionLog&) { return absl::DataLossError("not this one"); };
  const RestoreOptions options{.backups = Backups(), .directory = (Restored() / "log").string(), .verify = refuse};
  EXPECT_EQ(RestoreBackup(options, random_).status(), absl::DataLossError("not this one"));
  EXPECT_FALSE(fs::exists(IdentityPath((Restored() / "log").string())));
}

// Every file of a backup in turn, damaged and missing: refused, or of no importance.
TEST_F(BackupTest, ADamagedBackupIsRefusedOrRestoresTheSame) {
  std::vector<PartitionHead> heads;
  {
    CopiedStore source(Source());
    source.Append(500);
    ASSERT_TRUE(source.Backup(Backups()).ok());
    heads = HeadsOf(source.log());
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(Backups())) {
    if (entry.is_regular_file() && entry.path().filename() != "holder") files.push_back(entry.path());
  }
  const fs::path whole = scratch_.path() / "whole";
  fs::copy(Backups(), whole, fs::copy_options::recursive);
  int refused = 0;
  for (const fs::path& file : files) {
    for (const bool missing : {false, true}) {
      if (missing) {
        fs::remove(file);
      } else if (fs::file_size(file) > 0) {
        FlipByteInTheMiddle(file);
      }
      const auto manifest = Restore();
      if (manifest.ok()) {
        EXPECT_EQ(manifest->checkpoint.heads, heads) << file;
        CopiedStore restored(Restored());
        EXPECT_EQ(restored.status(), absl::OkStatus()) << file;
        EXPECT_EQ(restored.Verify(), absl::OkStatus()) << file;
      } else {
        ++refused;
        EXPECT_FALSE(fs::exists(IdentityPath((Restored() / "log").string())));
        const bool no_such_backup = absl::IsInvalidArgument(manifest.status());  // its manifest is gone
        EXPECT_TRUE(absl::IsDataLoss(manifest.status()) || no_such_backup) << file << manifest.status();
        EXPECT_TRUE(manifest.status().message().find(file.filename().string()) != std::string::npos ||
                    manifest.status().message().find(Backups()) != std::string::npos)
            << file << manifest.status();
      }
      fs::remove_all(Restored());
      fs::remove_all(Backups());
      fs::copy(whole, Backups(), fs::copy_options::recursive);
    }
  }
  EXPECT_GE(refused, static_cast<int>(files.size()));
}

}  // namespace
}  // namespace everfold
