// SQLite, as the read side uses it: connections and prepared statements that own what they hold and answer with Status.
// Values are always bound, identifiers always quoted (Quoted), so no text of a user becomes SQL.
//
//   EVERFOLD_ASSIGN_OR_RETURN(const auto database, sqlite::Database::Open(path, sqlite::Access::kReadWrite));
//   EVERFOLD_ASSIGN_OR_RETURN(const auto statement, database->Prepare("SELECT balance FROM wallet WHERE id = ?"));
//   sqlite::Use use(*statement);
//   statement->Text(0, "w1");
//   EVERFOLD_ASSIGN_OR_RETURN(const bool found, statement->Step());
//
// Errors carry SQLite's message and extended code (READ_MODEL_FAILED, or READ_MODEL_DAMAGED for a damaged file):
//   RESOURCE_EXHAUSTED   the disk is full
//   DATA_LOSS            the file is damaged, or no SQLite file
//   FAILED_PRECONDITION  a constraint does not hold, or a value is of the wrong type or too large
//   INVALID_ARGUMENT     SQL of a caller that is none, or that may not be run (REQUEST_INVALID), or that meets a value
//                        which is too large for it, or sorts more than kMaxSpillBytes (LIMIT_EXCEEDED)
//   DEADLINE_EXCEEDED    InterruptWhen said so (DEADLINE_EXCEEDED)
//   INTERNAL             everything else
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/spill_files.h"

struct sqlite3;
struct sqlite3_stmt;

namespace everfold::sqlite {

enum class Access { kReadWrite, kReadOnly };

// What the sorts of a query may take on the disk.
inline constexpr std::uint64_t kMaxSpillBytes = 256 << 20;

// What a statement may do.
enum class Permit {
  kAll,
  kRows,  // of a handler: read, and change rows of read models; nothing random, so that a rebuild comes to the same
  kRead,  // of a caller: read
};

// A prepared statement. Parameters are written and columns read by index, from 0.
// Threading: one thread at a time. Lifetime: not longer than its database.
class Statement final : public ColumnWriter, public ColumnReader {
 public:
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() override;

  // Parameters. Values are copied; an error is the result of the next Step.
  void Integer(int index, std::int64_t value) override;
  // NaN is an error: SQLite would store NULL.
  void Real(int index, double value) override;
  void Text(int index, std::string_view value) override;
  void Blob(int index, std::string_view value) override;
  void Null(int index) override;
  void CannotWrite(int index, std::string_view why) override;

  // Columns of the row that Step came to.
  bool IsNull(int index) const override;
  std::int64_t Integer(int index) const override;
  double Real(int index) const override;
  std::string_view Text(int index) const override;
  std::string_view Blob(int index) const override;
  // An error of a value is the result of the next Step, too.
  void CannotRead(int index, std::string_view why) const override;
  // The first error of a parameter or of a value of this execution.
  const absl::Status& status() const { return status_; }

  // What the statement has.
  int parameters() const;
  int columns() const;
  std::string column_name(int index) const;
  // Of a value of the row at hand; nullopt for NULL.
  std::optional<ColumnType> value_type(int index) const;
  bool read_only() const;

  // True at the next row, false at the end.
  absl::StatusOr<bool> Step();
  // Ends the execution (a SELECT holds its read transaction until then) and forgets the parameters.
  void Reset();

 private:
  friend class Database;
  Statement(sqlite3* database, sqlite3_stmt* statement, Permit permit, SpillFiles* spill)
      : database_(database), statement_(statement), permit_(permit), spill_(spill) {}
  void KeepError(int code);
  const char* Copy(std::string_view value);

  // For copies of small values, which SQLite would allocate one by one.
  static constexpr std::size_t kCopyBytes = 4'000;

  sqlite3* database_;
  sqlite3_stmt* statement_;
  Permit permit_;
  SpillFiles* spill_;  // null: of a connection that has none
  mutable absl::Status status_;
  std::unique_ptr<char[]> copies_;
  std::size_t copied_ = 0;  // bytes of this execution
};

// One execution of a statement: resets it at the end, however the end comes.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { statement_.Reset(); }

 private:
  Statement& statement_;
};

// A connection. Threading: one thread at a time.
class Database {
 public:
  // kReadWrite creates the file if it is missing; its folder exists. It, and what SQLite keeps beside it, are for their
  // owner alone (0600), also if they were not. What is sorted beyond what fits into memory goes to
  // files in the same folder that nobody sees (SpillFiles): of a kReadOnly connection, up to kMaxSpillBytes.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Access access);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Runs one or more statements without parameters, dropping their rows.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<std::unique_ptr<Statement>> Prepare(const std::string& sql);
  // SQL that is not the framework's own: exactly one statement, which does only what is permitted. INVALID_ARGUMENT
  // says what is wrong, and where.
  absl::StatusOr<std::unique_ptr<Statement>> Prepare(const std::string& sql, Permit permit);
  // From now on statements that run are asked about every so many steps of SQLite's whether they are to end, and then
  // do: DEADLINE_EXCEEDED. nullptr: they are not.
  void InterruptWhen(std::function<bool()> stop, int steps = 1000);
  // For SQL of callers: no value and no row is larger than this; expressions are no deeper, SELECTs are joined no more
  // often, and patterns of LIKE and GLOB and the characters that trim takes off are no longer (100 bytes), than people
  // write them. What one call of a function costs is bounded by that.
  absl::Status LimitCallers(int max_bytes);
  // Rows that statements have changed since it was opened.
  std::int64_t changes() const;
  // Between BEGIN and the COMMIT or ROLLBACK that succeeded; some errors of SQLite roll back by themselves.
  bool in_transaction() const;

 private:
  Database(sqlite3* database, std::unique_ptr<SpillFiles> spill) : spill_(std::move(spill)), database_(database) {}
  const std::unique_ptr<SpillFiles> spill_;  // outlives the connection
  sqlite3* database_;
  std::function<bool()> stop_;
};

// The identifier between double quotes.
std::string Quoted(std::string_view identifier);

}  // namespace everfold::sqlite
