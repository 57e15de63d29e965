#include "everfold/projection/read_model_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/file_size_limit.h"
#include "tests/unit/projection/ledger.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string BytesOf(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path).rdbuf();
  return bytes.str();
}

class ReadModelFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<ReadModelFile>> TryOpen() { return ReadModelFile::Open(path_, type_, beginning_); }
  std::unique_ptr<ReadModelFile> Open() {
    auto file = TryOpen();
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  absl::Status Refusal() {
    const std::string before = BytesOf(path_);
    const auto file = TryOpen();
    EXPECT_FALSE(file.ok());
    EXPECT_EQ(BytesOf(path_), before) << "a refused file was changed";
    return file.status();
  }
  static void Write(ReadModelFile& file, const Balance& row) { Tables<Balance>(file.rows()).Of<Balance>().Upsert(row); }
  // One transaction that leaves this row and this checkpoint.
  void Commit(ReadModelFile& file, const Balance& row, Checkpoint at) {
    ASSERT_TRUE(file.Begin().ok());
    Write(file, row);
    const absl::Status committed = file.Commit(at, file.tallies());
    ASSERT_TRUE(committed.ok()) << committed;
  }
  Checkpoint At(std::uint64_t first, std::uint64_t second) const {
    return {.epoch = beginning_.epoch, .offsets = {Offset(first), Offset(second)}};
  }
  std::vector<std::string> Rows() const { return DumpTable(path_, "balance"); }
  std::vector<std::string> Offsets() const {
    return Select(path_, "SELECT \"partition\" || '|' || \"offset\" FROM everfold_checkpoint ORDER BY 1");
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/1.db";
  ProjectionType type_ = MakeProjectionType<Balances>();
  Checkpoint beginning_{.epoch = {"sixteen bytes ok"}, .offsets = {Offset(0), Offset(0)}};
};

TEST_F(ReadModelFileTest, NewFileBeginsAtTheBeginning) {
  const auto file = Open();
  EXPECT_EQ(file->path(), path_);
  EXPECT_TRUE(file->created());
  EXPECT_EQ(file->fit(), ReadModelFile::Fit::kCurrent);
  EXPECT_EQ(file->checkpoint(), beginning_);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(Select(path_, "PRAGMA journal_mode"), ElementsAre("wal"));
}

TEST_F(ReadModelFileTest, CommitMakesRowsAndCheckpointVisibleTogether) {
  const auto file = Open();
  ASSERT_TRUE(file->Begin().ok());
  Write(*file, {"a", 5, 1});
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(file->checkpoint(), beginning_);
  ASSERT_TRUE(file->Commit(At(0, 3), file->tallies()).ok());
  EXPECT_EQ(file->checkpoint(), At(0, 3));
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
  EXPECT_THAT(Offsets(), ElementsAre("1|3"));
}

TEST_F(ReadModelFileTest, TellsItsCommitsAndSyncs) {
  const auto gate = std::make_shared<SnapshotGate>();
  int told = 0;
  const SnapshotGate::Keeper keeper(gate, [&told] { ++told; });
  const auto file = Open();
  file->TellCommits(*gate);
  Commit(*file, {.account = "a", .minor = 1, .events = 1}, At(1, 0));
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(file->MakeDurable().ok());
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(gate->Quiet().has_value());
}

TEST_F(ReadModelFileTest, RollbackLeavesNeither) {
  const auto file = Open();
  Commit(*file, {"a", 5, 1}, At(1, 0));
  ASSERT_TRUE(file->Begin().ok());
  Write(*file, {"a", 6, 2});
  file->Rollback();
  EXPECT_EQ(file->checkpoint(), At(1, 0));
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
  Commit(*file, {"a", 7, 2}, At(2, 0));
  EXPECT_THAT(Rows(), ElementsAre("'a'|7|2"));
}

TEST_F(ReadModelFileTest, GoesOnWhereItWas) {
  Commit(*Open(), {"a", 5, 1}, At(7, 1ull << 62));
  const auto file = Open();
  EXPECT_EQ(file->checkpoint(), At(7, 1ull << 62));
  EXPECT_FALSE(file->created());
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
}

TEST_F(ReadModelFileTest, TransactionWithABrokenRowIsNotCommitted) {
  const auto file = Open();
  ASSERT_TRUE(file->Begin().ok());
  Write(*file, {"a", 5, 1});
  file->rows().Upsert(ReadModelTraits<Balance>::Schema(), [](ColumnWriter& out) { out.Text(0, "b"); });
  const absl::Status status = file->Commit(At(1, 0), file->tallies());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT NULL constraint failed: balance.minor"));
  file->Rollback();
  EXPECT_EQ(file->checkpoint(), beginning_);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(Offsets(), IsEmpty());
}

TEST_F(ReadModelFileTest, FailureOfTheCommitLeavesTheRowsAndTheCheckpointOfBefore) {
  const auto file = Open();
  Commit(*file, {"a", 5, 1}, At(1, 0));
  ASSERT_TRUE(file->Begin().ok());
  for (int i = 0; i < 1000; ++i) Write(*file, {absl::StrFormat("b%d", i), i, 1});
  ASSERT_TRUE(file->rows().status().ok());
  absl::Status status;
  {
    const FileSizeLimit full(std::filesystem::file_size(path_ + "-wal"));
    status = file->Commit(At(2, 0), file->tallies());
    file->Rollback();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "SQLite: disk I/O error (extended code 778)");
  EXPECT_EQ(file->checkpoint(), At(1, 0));
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
  EXPECT_THAT(Offsets(), ElementsAre("0|1"));
}

TEST_F(ReadModelFileTest, OtherHistoryIsRefusedAndSaysWhatToDo) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  beginning_.epoch = {"another 16 bytes"};
  const absl::Status status = Refusal();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kOtherHistory);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + " was built from another history"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Delete the file to build it anew from this store, or start "
                                                       "with the data that it belongs to"));
}

TEST_F(ReadModelFileTest, OtherNumberOfPartitionsIsAnotherHistory) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  beginning_.offsets.resize(3);
  EXPECT_EQ(ReasonOf(Refusal()), reason::kOtherHistory);
}

TEST_F(ReadModelFileTest, TalliesAreOfTheTransaction) {
  const std::vector<PartitionTally> tallies = {
      {.applied = {.count = 3, .low = 1, .high = ~std::uint64_t{0}}, .parked = {}, .dropped = {}},
      {.applied = {}, .parked = {.count = 1, .low = 7, .high = 8}, .dropped = {.count = 2, .low = 9, .high = 10}}};
  {
    const auto file = Open();
    ASSERT_TRUE(file->Begin().ok());
    ASSERT_TRUE(file->Commit(At(3, 3), tallies).ok());
    ASSERT_TRUE(file->Begin().ok());
    file->Rollback();
    EXPECT_EQ(file->tallies(), tallies);
  }
  EXPECT_EQ(Open()->tallies(), tallies);
}

TEST_F(ReadModelFileTest, PartThatIsTakenBackLeavesTheRest) {
  const auto file = Open();
  ASSERT_TRUE(file->Begin().ok());
  ASSERT_TRUE(file->BeginPart().ok());
  Write(*file, {"a", 5, 1});
  ASSERT_TRUE(file->EndPart().ok());
  ASSERT_TRUE(file->BeginPart().ok());
  Write(*file, {"a", 6, 2});
  file->rows().Upsert(ReadModelTraits<Balance>::Schema(), [](ColumnWriter& out) { out.Text(0, "b"); });
  EXPECT_FALSE(file->rows().status().ok());
  ASSERT_TRUE(file->TakeBackPart().ok());
  EXPECT_TRUE(file->rows().status().ok());
  ASSERT_TRUE(file->BeginPart().ok());
  Write(*file, {"c", 7, 1});
  ASSERT_TRUE(file->EndPart().ok());
  ASSERT_TRUE(file->Commit(At(3, 0), file->tallies()).ok());
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1", "'c'|7|1"));
}

TEST_F(ReadModelFileTest, FileOfOtherTablesIsLeftAsItIs) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  ReadModelSchema changed = ReadModelTraits<Balance>::Schema();
  changed.columns[1].nullable = true;
  type_.read_models = {&changed};
  EXPECT_EQ(Open()->fit(), ReadModelFile::Fit::kUnreadable);
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
}

TEST_F(ReadModelFileTest, FileOfAnotherRevisionIsLeftAsItIs) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  type_.revision = 2;
  const auto file = Open();
  EXPECT_EQ(file->fit(), ReadModelFile::Fit::kReadable);
  EXPECT_EQ(file->checkpoint(), At(1, 0));
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
}

// Its rows may have to say something in the new column.
TEST_F(ReadModelFileTest, FileWithoutAnAddedColumnIsLeftAsItIs) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  ReadModelSchema changed = ReadModelTraits<Balance>::Schema();
  changed.columns.push_back({"owner", ColumnType::kText, true});
  type_.read_models = {&changed};
  const auto file = Open();
  EXPECT_EQ(file->fit(), ReadModelFile::Fit::kReadable);
  EXPECT_EQ(file->checkpoint(), At(1, 0));
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
}

TEST_F(ReadModelFileTest, OlderFormatIsBuiltAnew) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  Alter(path_, "UPDATE everfold_meta SET format_version = 2");
  EXPECT_EQ(Open()->fit(), ReadModelFile::Fit::kUnreadable);
}

TEST_F(ReadModelFileTest, GetsTheIndexesOfTheCode) {
  const auto indexes = [this] { return IndexesOf(path_, "balance"); };
  ReadModelSchema indexed = ReadModelTraits<Balance>::Schema();
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  EXPECT_THAT(indexes(), ElementsAre("balance.minor"));
  indexed.indexes = {{.columns = {0}, .unique = false}, {.columns = {2, 1}, .unique = false}};
  type_.read_models = {&indexed};
  EXPECT_EQ(Open()->fit(), ReadModelFile::Fit::kCurrent);
  EXPECT_EQ(indexes().size(), 2u);
  indexed.indexes.pop_back();
  const auto file = Open();
  EXPECT_EQ(file->fit(), ReadModelFile::Fit::kCurrent);
  EXPECT_EQ(file->checkpoint(), At(1, 0));
  EXPECT_EQ(indexes().size(), 1u);
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|1"));
}

// Of what is built they are made at the end; rules hold from the beginning.
class IndexesAtTheEndTest : public ReadModelFileTest {
 protected:
  static constexpr auto kLater = ReadModelFile::Indexes::kWhenComplete;
  static bool GoOn() { return false; }

  void SetUp() override { type_.read_models = {&schema_}; }
  std::unique_ptr<ReadModelFile> OpenToBuild() {
    auto file = ReadModelFile::Open(path_, type_, beginning_, kLater);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  void Fold(ReadModelFile& file, const std::string& account, std::int64_t minor) {
    file.rows().Upsert(schema_, [&](ColumnWriter& out) { ReadModelTraits<Balance>::Bind({account, minor, 1}, out); });
  }
  void Sql(ReadModelFile& file) {
    file.rows().Execute(
        "UPDATE balance SET events = 7 WHERE minor = 5", [](ColumnWriter&) {}, [](const ColumnReader&) {});
  }
  std::vector<std::string> Indexes() { return IndexesOf(path_, "balance"); }

  ReadModelSchema schema_ = [] {
    ReadModelSchema schema = ReadModelTraits<Balance>::Schema();
    schema.indexes = {{.columns = {1}}, {.columns = {0, 1}, .unique = true}, {.columns = {2, 1}}};
    return schema;
  }();
};

TEST_F(IndexesAtTheEndTest, AreMadeWhenAsked) {
  const auto file = OpenToBuild();
  ASSERT_TRUE(file->Begin().ok());
  Fold(*file, "a", 5);
  ASSERT_EQ(file->Commit(At(1, 0), file->tallies()), absl::OkStatus());
  EXPECT_THAT(Indexes(), ElementsAre("balance.account.minor")) << "the unique one";
  EXPECT_TRUE(file->MakeIndexes(GoOn).value());
  EXPECT_THAT(Indexes(), ElementsAre("balance.account.minor", "balance.events.minor", "balance.minor"));
  EXPECT_FALSE(file->MakeIndexes(GoOn).value()) << "there is nothing left to make";
  ASSERT_TRUE(file->Begin().ok());
  Fold(*file, "b", 6);
  ASSERT_EQ(file->Commit(At(2, 0), file->tallies()), absl::OkStatus());
  EXPECT_THAT(Select(path_, "SELECT account FROM balance INDEXED BY \"balance.minor\" WHERE minor = 6"),
              ElementsAre("b"));
}

TEST_F(IndexesAtTheEndTest, OfAFileThatIsGoneOnWithStayAsTheyAre) {
  OpenToBuild();
  EXPECT_THAT(Indexes(), ElementsAre("balance.account.minor"));
  EXPECT_TRUE(OpenToBuild()->MakeIndexes(GoOn).value());
  EXPECT_FALSE(OpenToBuild()->MakeIndexes(GoOn).value());
  Alter(path_, "DROP INDEX \"balance.minor\"");  // as after an end between the two
  EXPECT_TRUE(OpenToBuild()->MakeIndexes(GoOn).value());
  EXPECT_EQ(Indexes().size(), 3u);
  Alter(path_, "DROP INDEX \"balance.minor\"");
  Open();
  EXPECT_EQ(Indexes().size(), 3u) << "what is queried has them all";
}

// SQL of a handler would go through the whole table for each event.
TEST_F(IndexesAtTheEndTest, AreMadeBeforeAHandlersSql) {
  const auto file = OpenToBuild();
  ASSERT_TRUE(file->Begin().ok());
  Fold(*file, "a", 5);
  Sql(*file);
  ASSERT_EQ(file->rows().status(), absl::OkStatus());
  file->Rollback();
  EXPECT_THAT(Indexes(), ElementsAre("balance.account.minor")) << "taken back with the rest";
  ASSERT_TRUE(file->Begin().ok());
  Fold(*file, "a", 5);
  ASSERT_TRUE(file->BeginPart().ok());
  Sql(*file);
  ASSERT_TRUE(file->TakeBackPart().ok());
  Sql(*file);
  ASSERT_EQ(file->Commit(At(1, 0), file->tallies()), absl::OkStatus());
  EXPECT_EQ(Indexes().size(), 3u);
  EXPECT_THAT(Rows(), ElementsAre("'a'|5|7"));
  EXPECT_FALSE(file->MakeIndexes(GoOn).value());
}

TEST_F(IndexesAtTheEndTest, AreMadeWhileAHandlerScans) {
  const auto file = OpenToBuild();
  ASSERT_TRUE(file->Begin().ok());
  for (const char* account : {"a", "b", "c"}) Fold(*file, account, 5);
  int rows = 0;
  file->rows().Scan(schema_, [&](const ColumnReader&) {
    file->rows().Select(
        schema_, "minor = 5", [](ColumnWriter&) {}, [&rows](const ColumnReader&) { ++rows; });
  });
  EXPECT_EQ(rows, 9);
  ASSERT_EQ(file->Commit(At(1, 0), file->tallies()), absl::OkStatus());
  EXPECT_EQ(Indexes().size(), 3u);
}

TEST_F(IndexesAtTheEndTest, OneThatCannotBeMadeIsNamedWithTheCause) {
  const auto file = OpenToBuild();
  Alter(path_, "CREATE TABLE \"balance.minor\" (a)");
  const absl::Status status = file->MakeIndexes(GoOn).status();
  EXPECT_EQ(status.message(), path_ +
                                  ": index balance.minor: SQLite: there is already a table named balance.minor "
                                  "(extended code 1)");
  Alter(path_, "DROP TABLE \"balance.minor\"");
  EXPECT_TRUE(file->MakeIndexes(GoOn).value()) << "another try";
}

TEST_F(IndexesAtTheEndTest, AreGivenUpWhenItIsClosed) {
  const auto file = OpenToBuild();
  ASSERT_TRUE(file->Begin().ok());
  for (int i = 0; i < 2000; ++i) Fold(*file, absl::StrFormat("a%d", i), i);
  ASSERT_EQ(file->Commit(At(1, 0), file->tallies()), absl::OkStatus());
  EXPECT_EQ(file->MakeIndexes([] { return true; }).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(file->MakeIndexes(GoOn).value());
  EXPECT_EQ(Indexes().size(), 3u);
}

TEST_F(ReadModelFileTest, KeepsTheIndexesOfWhatIsParked) {
  const auto own = [this] {
    return Select(path_, "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'everfold%' ORDER BY 1");
  };
  Open();
  EXPECT_THAT(own(), ElementsAre("everfold_parked_event_by_key", "everfold_parked_event_by_stream"));
  Open();
  EXPECT_EQ(own().size(), 2u);
}

// A unique one decides which events fail.
TEST_F(ReadModelFileTest, FileWithoutAUniqueIndexIsOfOtherCode) {
  Commit(*Open(), {"a", 5, 1}, At(1, 0));
  ReadModelSchema unique = ReadModelTraits<Balance>::Schema();
  unique.indexes = {{.columns = {1}, .unique = true}};
  type_.read_models = {&unique};
  EXPECT_EQ(Open()->fit(), ReadModelFile::Fit::kReadable);
}

TEST_F(ReadModelFileTest, TablesThatCannotBeMadeLeaveNone) {
  ReadModelSchema wrong = ReadModelTraits<Balance>::Schema();
  wrong.columns.push_back({"ACCOUNT", ColumnType::kText});  // SQLite does not tell them apart
  type_.read_models = {&wrong};
  EXPECT_EQ(TryOpen().status().message(), path_ + ": SQLite: duplicate column name: ACCOUNT (extended code 1)");
  EXPECT_THAT(Select(path_, "SELECT name FROM sqlite_schema"), IsEmpty());
}

TEST_F(ReadModelFileTest, NewerFormatIsRefused) {
  Open();
  Alter(path_, "UPDATE everfold_meta SET format_version = 4");
  const absl::Status status = Refusal();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kFormatUnknown);
  EXPECT_THAT(std::string(status.message()), HasSubstr("its format is version 4, and this binary knows those up to 3"));
}

TEST_F(ReadModelFileTest, DatabaseOfOtherSoftwareIsRefused) {
  Alter(path_, "CREATE TABLE mine (a INTEGER)");
  const absl::Status status = Refusal();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), path_ + ": this SQLite file was not made by everfold; move it away");
}

TEST_F(ReadModelFileTest, DamagedFileIsDataLossAndNamed) {
  Open();
  std::ofstream(path_) << std::string(8192, 'x');
  const absl::Status status = Refusal();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kReadModelDamaged);
  EXPECT_EQ(status.message(), path_ + ": SQLite: file is not a database (extended code 26)");
}

TEST_F(ReadModelFileTest, CheckpointOfAPartitionThatIsNoneIsDataLoss) {
  Open();
  Alter(path_, "INSERT INTO everfold_checkpoint VALUES (2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
  EXPECT_EQ(ReasonOf(TryOpen().status()), reason::kReadModelDamaged);
  Alter(path_,
        "DELETE FROM everfold_checkpoint; INSERT INTO everfold_checkpoint VALUES (0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
  EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ReadModelFileTest, FolderThatIsNotThereIsSaid) {
  const auto file = ReadModelFile::Open(folder_.path() + "/nowhere/1.db", type_, beginning_);
  EXPECT_EQ(file.status().message(),
            folder_.path() + "/nowhere/1.db: SQLite: unable to open database file (extended code 14)");
}

}  // namespace
}  // namespace everfold
