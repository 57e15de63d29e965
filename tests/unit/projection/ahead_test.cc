// A version that is built ahead of the start that needs it: taken over if it fits, deleted if not.
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <list>

#include "everfold/base/error.h"
#include "everfold/projection/ahead_build.h"
#include "everfold/projection/projection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kBatch = 100;

// What SQLite does while a database is locked, in place of sleeping; of databases that are opened meanwhile. There is
// one at a time.
class SqliteSleeps {
 public:
  explicit SqliteSleeps(std::function<void()> on_sleep) : on_sleep_(std::move(on_sleep)) {
    the_one_ = this;
    EXPECT_EQ(sqlite3_vfs_register(&Vfs(), 1), SQLITE_OK);
  }
  // Databases that are open still have Vfs().
  ~SqliteSleeps() {
    EXPECT_EQ(sqlite3_vfs_register(System(), 1), SQLITE_OK);
    the_one_ = nullptr;
  }
  SqliteSleeps(const SqliteSleeps&) = delete;
  SqliteSleeps& operator=(const SqliteSleeps&) = delete;

  absl::Duration slept() const { return slept_; }

 private:
  static sqlite3_vfs* System() {
    static sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    return system;
  }
  static sqlite3_vfs& Vfs() {
    static sqlite3_vfs vfs = [] {
      sqlite3_vfs sleepless = *System();
      sleepless.zName = "everfold-sleepless";
      sleepless.xSleep = [](sqlite3_vfs*, int microseconds) {
        if (the_one_ != nullptr) the_one_->Sleep(absl::Microseconds(microseconds));
        return microseconds;
      };
      return sleepless;
    }();
    return vfs;
  }
  void Sleep(absl::Duration duration) {
    slept_ += duration;
    on_sleep_();
  }

  inline static SqliteSleeps* the_one_ = nullptr;
  const std::function<void()> on_sleep_;
  absl::Duration slept_;
};

bool Throws(std::string_view, const EventContext&, RowStore&) { throw std::runtime_error("no debits"); }

ProjectionType WithRevision(int revision) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.revision = revision;
  return type;
}

class AheadTest : public ::testing::Test {
 protected:
  std::string Folder() { return ledger_.directory() + "/balances"; }
  std::string Path(int version) { return absl::StrFormat("%s/%d.db", Folder(), version); }
  std::string Ahead() { return Folder() + "/ahead.db"; }
  std::vector<std::string> Rows() { return DumpTable(ledger_.projection().path(), "balance"); }
  std::vector<std::string> Files() { return PosixFiles().List(Folder()).value(); }

  // Of the ledger's store, as a client of an application would get them.
  absl::StatusOr<std::unique_ptr<AheadBuild>> OpenBuild(Ledger& ledger, const ProjectionType& type) {
    feed_ = std::make_unique<StoreFeed>(ledger.store());
    return AheadBuild::Open(PosixFiles(), ledger.directory(), types_.emplace_back(type), *feed_,
                            ledger.store().DurableHead(), ledger.executor().clock());
  }
  void FoldAll(AheadBuild& build) {
    for (bool caught_up = false; !caught_up;) {
      const absl::StatusOr<PullResult> folded = build.Fold(kBatch);
      ASSERT_TRUE(folded.ok()) << folded.status();
      caught_up = folded->caught_up;
    }
    const absl::Status synced = build.Complete();
    ASSERT_TRUE(synced.ok()) << synced;
  }
  void BuildAhead(Ledger& ledger, const ProjectionType& type) {
    const auto build = OpenBuild(ledger, type);
    ASSERT_TRUE(build.ok()) << build.status();
    FoldAll(**build);
  }
  void BuildAhead(const ProjectionType& type) { BuildAhead(ledger_, type); }

  // The old application ends, having taken in `more` events, and the new one begins.
  void Deploy(const ProjectionType& type, int more = 0) {
    ledger_.Trade(more);
    ledger_.executor().RunUntilIdle();
    ledger_.CloseProjection();
    ledger_.RunProjection(type);
  }
  // Of the event that was logged first under this message; "" if none was.
  std::string LoggedWhy(const std::string& message) {
    for (const RecordingLogger::Line& line : ledger_.logger().lines()) {
      if (line.message == message) return line.fields.at(1).value;
    }
    return "";
  }
  void ExpectRowsAreTheFold() {
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
    EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
    EXPECT_TRUE(ledger_.projection().status().ok()) << ledger_.projection().status();
  }

  Ledger ledger_;
  std::unique_ptr<StoreFeed> feed_;
  std::list<ProjectionType> types_;  // of the builds, which they outlive
};

TEST_F(AheadTest, IsTakenOverAndGoesOnFromItsCheckpoint) {
  ledger_.Trade(60);
  ledger_.RunProjection();
  BuildAhead(WithRevision(2));
  EXPECT_THAT(IndexesOf(Ahead(), "balance"), ElementsAre("balance.minor"));
  const std::uint64_t built = EventsBefore(ledger_.store().DurableHead());
  ledger_.Trade(10);
  ledger_.CloseProjection();
  ASSERT_TRUE(ledger_.OpenProjection(WithRevision(2)).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1)) << "queries see the old rows until it has caught up";
  ledger_.projection().Start();
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  EXPECT_GE(ledger_.projection().Describe().rebuild->events, built);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
  EXPECT_THAT(Files(), Not(::testing::Contains("ahead.db")));
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(2));
}

TEST_F(AheadTest, HasTheRowsOfACleanRebuild) {
  ledger_.Trade(60);
  ledger_.RunProjection();
  BuildAhead(WithRevision(2));
  Deploy(WithRevision(2), 30);
  EXPECT_THAT(IndexesOf(Path(2), "balance"), ElementsAre("balance.minor"));
  const std::string ahead = Dump(Path(2));
  ledger_.CloseProjection();
  std::filesystem::remove_all(Folder());
  ledger_.RunProjection(WithRevision(2));
  EXPECT_EQ(Dump(Path(1)), ahead);
}

// The application at work lets it stand, whatever it does with its own versions.
TEST_F(AheadTest, IsLeftAloneByTheProjectionAtWork) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  BuildAhead(WithRevision(2));
  std::optional<absl::Status> rebuilt;
  ledger_.projection().Rebuild([&rebuilt](absl::Status status) { rebuilt = std::move(status); });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(rebuilt.has_value() && rebuilt->ok());
  EXPECT_TRUE(std::filesystem::exists(Ahead()));
  Deploy(WithRevision(2));
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(3));
  ExpectRowsAreTheFold();
}

// A projection that the application of before did not have.
TEST_F(AheadTest, IsTheFirstVersionOfANewProjection) {
  ledger_.Trade(30);
  BuildAhead(WithRevision(1));
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
  EXPECT_THAT(Files(), Not(::testing::Contains("ahead.db")));
}

TEST_F(AheadTest, TakesThePlaceOfADamagedVersion) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  BuildAhead(WithRevision(1));
  ledger_.CloseProjection();
  std::ofstream(Path(1)) << std::string(8192, 'x');
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(2));
  ExpectRowsAreTheFold();
}

// Not the version before, though that was built by this code as well, and is far behind.
TEST_F(AheadTest, IsPreferredToTheVersionBefore) {
  ledger_.Trade(10);
  ledger_.RunProjection();
  Deploy(WithRevision(2));
  ledger_.Trade(50);
  BuildAhead(WithRevision(1));
  Deploy(WithRevision(1));
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_EQ(ledger_.projection().Describe().previous, 2u);
  ExpectRowsAreTheFold();
}

// But that version, where it has come further.
TEST_F(AheadTest, IsNotTakenWhereTheVersionBeforeHasComeFurther) {
  ledger_.Trade(50);
  ledger_.RunProjection();
  Deploy(WithRevision(2), 5);
  {
    const auto build = OpenBuild(ledger_, WithRevision(1));
    ASSERT_TRUE(build.ok()) << build.status();
    ASSERT_TRUE((*build)->Fold(10).ok());
    ASSERT_EQ((*build)->Complete(), absl::OkStatus());
  }
  Deploy(WithRevision(1));
  EXPECT_THAT(LoggedWhy("what was built ahead is deleted"),
              HasSubstr("1.db, the version before, which this code has built, has come at least as far"));
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_THAT(Files(), Not(::testing::Contains("ahead.db")));
  ExpectRowsAreTheFold();
}

// After damage nothing that was there is gone back to, however far it had come.
TEST_F(AheadTest, IsTakenForADamagedVersionWhateverCameBefore) {
  ledger_.Trade(50);
  ledger_.RunProjection();
  Deploy(WithRevision(2), 5);
  {
    const auto build = OpenBuild(ledger_, WithRevision(1));
    ASSERT_TRUE(build.ok()) << build.status();
    ASSERT_TRUE((*build)->Fold(10).ok());
    ASSERT_EQ((*build)->Complete(), absl::OkStatus());
  }
  ledger_.CloseProjection();
  std::ofstream(Path(2)) << std::string(8192, 'x');
  ledger_.RunProjection();
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(3));
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  ExpectRowsAreTheFold();
}

// It had no more to say once it was given up: the version before is gone back to.
TEST_F(AheadTest, IsForgottenWhenItIsGivenUp) {
  static std::uint64_t bad_amount;
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {[](std::string_view payload, const EventContext& c, RowStore& rows) {
    Debited event;
    if (event.ParseFromString(std::string(payload)) && event.value() == bad_amount) throw std::runtime_error("bad");
    return internal::Handle<Balances, Debited>(payload, c, rows);
  }};
  bad_amount = 0;
  ledger_.Credit("b", 1);
  ledger_.RunProjection(type);
  ProjectionType second = type;
  second.revision = 2;
  ledger_.CloseProjection();
  ledger_.RunProjection(second);
  ledger_.Debit("a", 7);
  ledger_.executor().RunUntilIdle();
  bad_amount = 7;
  BuildAhead(type);
  bad_amount = 0;
  Deploy(type);
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(3));
  EXPECT_EQ(ReasonOf(ledger_.projection().status()), reason::kReadModelParksMore) << ledger_.projection().status();
  ledger_.projection().Resume([](const absl::Status&) {});
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  ExpectRowsAreTheFold();
}

TEST_F(AheadTest, IsDeletedWhereNothingIsToBeBuilt) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  BuildAhead(WithRevision(2));
  Deploy(WithRevision(1));
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_THAT(Files(), Not(::testing::Contains("ahead.db")));
  EXPECT_EQ(LoggedWhy("what was built ahead is deleted"), Path(1) + " was built by this code, and goes on");
}

// What cannot be gone on with is deleted, the log says why, and the version is built from the beginning.
class AheadMisfitTest : public AheadTest {
 protected:
  void SetUp() override {
    ledger_.Trade(30);
    ledger_.RunProjection();
  }
  void ExpectDeleted(const std::string& why) {
    Deploy(WithRevision(2), 5);
    EXPECT_EQ(ledger_.projection().path(), Path(2));
    EXPECT_THAT(LoggedWhy("what was built ahead is deleted"), HasSubstr(why));
    EXPECT_THAT(Files(), ElementsAre("1.db", "2.db", "2.db-shm", "2.db-wal", "MANIFEST", "ahead.lock"));
    ExpectRowsAreTheFold();
  }
};

TEST_F(AheadMisfitTest, OfAnotherRevision) {
  BuildAhead(WithRevision(3));
  ExpectDeleted("it was built by other code");
}

TEST_F(AheadMisfitTest, OfOtherTables) {
  static ReadModelSchema changed = ReadModelTraits<Balance>::Schema();
  changed.columns[2].nullable = true;
  ProjectionType type = WithRevision(2);
  type.read_models = {&changed};
  BuildAhead(type);
  ExpectDeleted("it was built by other code");
}

TEST_F(AheadMisfitTest, OfAnotherHistory) {
  Ledger other(7);
  other.Trade(30);
  BuildAhead(other, WithRevision(2));
  std::filesystem::copy(other.directory() + "/balances/ahead.db", Ahead());
  ExpectDeleted("was built from another history");
}

TEST_F(AheadMisfitTest, AboveTheHead) {
  BuildAhead(WithRevision(2));
  Alter(Ahead(), "UPDATE everfold_checkpoint SET \"offset\" = \"offset\" + 1000");
  ExpectDeleted("it has taken in offset 10");
}

TEST_F(AheadMisfitTest, Damaged) {
  std::ofstream(Ahead()) << std::string(8192, 'x');
  ExpectDeleted("file is not a database");
}

TEST_F(AheadMisfitTest, Cut) {
  BuildAhead(WithRevision(2));
  std::filesystem::resize_file(Ahead(), std::filesystem::file_size(Ahead()) / 2);
  ExpectDeleted("malformed");
}

TEST_F(AheadMisfitTest, OfAnotherProgram) {
  Alter(Ahead(), "CREATE TABLE t (a)");
  ExpectDeleted("this SQLite file was not made by everfold");
}

TEST_F(AheadMisfitTest, NothingButAWal) {
  std::ofstream(Ahead() + "-wal") << "x";
  ExpectDeleted("there is only what was beside it");
}

TEST_F(AheadTest, IsNotTakenWhereWhatIsBeingBuiltHasComeFurther) {
  ledger_.Trade(1'200);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ASSERT_TRUE(ledger_.OpenProjection(WithRevision(2), /*max_batch_events=*/1).ok());
  ledger_.projection().Start();
  ASSERT_TRUE(ledger_.executor().RunUntil([this] {
    const ProjectionStatus status = ledger_.projection().Describe();
    return status.rebuild.has_value() && status.rebuild->events > 600;  // of which 500 are committed
  }));
  ledger_.CloseProjection();
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    ASSERT_TRUE((*build)->Fold(10).ok());
    ASSERT_EQ((*build)->Complete(), absl::OkStatus());
  }
  ledger_.RunProjection(WithRevision(2));
  EXPECT_THAT(LoggedWhy("what was built ahead is deleted"),
              HasSubstr("2.db, which is being built, has come at least as far"));
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_THAT(Files(), Not(::testing::Contains("ahead.db")));
  ExpectRowsAreTheFold();
}

TEST_F(AheadTest, IsLeftAsItIsWhileItIsBuilt) {
  SqliteSleeps sleeps([] {});
  ledger_.Trade(30);
  ledger_.RunProjection();
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    FoldAll(**build);
    const absl::Status second = AheadBuild::Open(PosixFiles(), ledger_.directory(), WithRevision(2), *feed_,
                                                 ledger_.store().DurableHead(), ledger_.executor().clock())
                                    .status();
    EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(second), reason::kReadModelRebuilding);
    EXPECT_EQ(sleeps.slept(), absl::ZeroDuration()) << "two that build it do not wait for one another";
    EXPECT_THAT(std::string(second.message()), AllOf(HasSubstr(Ahead()), HasSubstr("is somebody else at it?")));
    Deploy(WithRevision(2), 5);
    EXPECT_THAT(LoggedWhy("what was built ahead is left as it is"), HasSubstr("is somebody else at it?"));
    EXPECT_EQ(ledger_.projection().path(), Path(2)) << "built from the beginning";
    ExpectRowsAreTheFold();
    EXPECT_GE(sleeps.slept(), absl::Seconds(4)) << "the start has waited";
    EXPECT_TRUE(std::filesystem::exists(Ahead()));
    FoldAll(**build);
  }
  Deploy(WithRevision(3));
  EXPECT_EQ(LoggedWhy("what was built ahead is deleted"), "it was built by other code");
}

// As where the application of before was stopped, and what was built from it is being closed.
TEST_F(AheadTest, IsTakenOverWhenItsBuilderHasEnded) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  auto build = OpenBuild(ledger_, WithRevision(2));
  ASSERT_TRUE(build.ok()) << build.status();
  FoldAll(**build);
  SqliteSleeps sleeps([&build] { build->reset(); });
  Deploy(WithRevision(2), 5);
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(2));
  EXPECT_LT(sleeps.slept(), absl::Seconds(1));
  ExpectRowsAreTheFold();
}

TEST_F(AheadTest, IsCommittedByTimeAsWell) {
  ledger_.Trade(120);
  ledger_.RunProjection();
  const auto built = [this] {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    return build.ok() ? EventsBefore((*build)->position()) : 0;
  };
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE((*build)->Fold(5).ok());
  }
  EXPECT_EQ(built(), 0u) << "a transaction is held for some time";
  std::uint64_t committed = 0;
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    ASSERT_TRUE((*build)->Fold(5).ok());
    ledger_.executor().Advance(AheadBuild::kLongestHeld);
    ASSERT_TRUE((*build)->Fold(5).ok());
    committed = EventsBefore((*build)->position());
    ASSERT_TRUE((*build)->Fold(5).ok()) << "which is held again";
  }
  EXPECT_GE(committed, 10u);
  EXPECT_EQ(built(), committed);
}

TEST_F(AheadTest, GoesOnFromWhatWasCommitted) {
  ledger_.Trade(1'200);
  ledger_.RunProjection();
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    for (int i = 0; i < 700; ++i) ASSERT_TRUE((*build)->Fold(1).ok());  // in transactions of 500
  }
  {
    const auto build = OpenBuild(ledger_, WithRevision(2));
    ASSERT_TRUE(build.ok()) << build.status();
    EXPECT_EQ((*build)->begun_anew_because(), "");
    EXPECT_GE(EventsBefore((*build)->position()), 500u);
    FoldAll(**build);
  }
  Deploy(WithRevision(2));
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(2));
  ExpectRowsAreTheFold();
}

TEST_F(AheadTest, WhatOtherCodeHasBegunIsBegunAnew) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  BuildAhead(WithRevision(2));
  const auto build = OpenBuild(ledger_, WithRevision(3));
  ASSERT_TRUE(build.ok()) << build.status();
  EXPECT_EQ((*build)->begun_anew_because(), "it was built by other code");
  EXPECT_EQ(EventsBefore((*build)->position()), 0u);
}

TEST_F(AheadTest, IsNeededByOtherCodeOnly) {
  ledger_.Trade(30);
  const Checkpoint head = ledger_.store().DurableHead();
  EXPECT_TRUE(NeedsAnotherVersion(PosixFiles(), ledger_.directory(), WithRevision(1), head).value()) << "a new one";
  ledger_.RunProjection();
  EXPECT_FALSE(NeedsAnotherVersion(PosixFiles(), ledger_.directory(), WithRevision(1), head).value());
  EXPECT_TRUE(NeedsAnotherVersion(PosixFiles(), ledger_.directory(), WithRevision(2), head).value());
  ledger_.CloseProjection();
  std::ofstream(Path(1)) << std::string(8192, 'x');
  EXPECT_TRUE(NeedsAnotherVersion(PosixFiles(), ledger_.directory(), WithRevision(1), head).value()) << "damaged";
}

TEST_F(AheadTest, RefusesATypeThatCannotBe) {
  const absl::Status status = OpenBuild(ledger_, WithRevision(0)).status();
  EXPECT_EQ(status.message(), "projection balances: its revision is 1 or more, not 0");
  EXPECT_THAT(PosixFiles().List(ledger_.directory()).value(), IsEmpty());
}

// What an operator has dropped is left out, and what fails is parked, as where it is built beside the current one.
TEST_F(AheadTest, ParksAndLeavesOut) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  for (const char* account : {"a", "b"}) {
    ledger_.Debit(account, 2);
    ledger_.Credit(account, 1);
  }
  ledger_.RunProjection(type);
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                  [](const absl::StatusOr<std::uint64_t>&) {});
  ledger_.executor().RunUntilIdle();
  type.revision = 2;
  {
    const auto build = OpenBuild(ledger_, type);
    ASSERT_TRUE(build.ok()) << build.status();
    FoldAll(**build);
    EXPECT_EQ((*build)->parked_keys(), 1u);
  }
  Deploy(type);
  EXPECT_EQ(LoggedWhy("what was built ahead is taken over"), Path(2));
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1"));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 1u);
}

}  // namespace
}  // namespace everfold
