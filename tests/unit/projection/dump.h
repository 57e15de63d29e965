// What a projection's file holds, as another SQLite connection sees it: one line a row, sorted by the key.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "everfold/base/status.h"
#include "everfold/projection/sqlite.h"
#include "gtest/gtest.h"

namespace everfold {

// The first column of every row.
inline absl::StatusOr<std::vector<std::string>> TrySelect(const std::string& path, const std::string& sql) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto database, sqlite::Database::Open(path, sqlite::Access::kReadOnly));
  EVERFOLD_ASSIGN_OR_RETURN(const auto statement, database->Prepare(sql));
  std::vector<std::string> values;
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, statement->Step());
    if (!found) return values;
    values.emplace_back(statement->Text(0));
  }
}

inline std::vector<std::string> Select(const std::string& path, const std::string& sql) {
  auto values = TrySelect(path, sql);
  EXPECT_TRUE(values.ok()) << values.status();
  return values.ok() ? *std::move(values) : std::vector<std::string>();
}

// Changes a file behind the framework's back.
inline void Alter(const std::string& path, const std::string& sql) {
  const auto database = sqlite::Database::Open(path, sqlite::Access::kReadWrite);
  ASSERT_TRUE(database.ok()) << database.status();
  const absl::Status status = (*database)->Execute(sql);
  ASSERT_TRUE(status.ok()) << status;
}

inline absl::StatusOr<std::vector<std::string>> TryDumpTable(const std::string& path, const std::string& table) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            TrySelect(path, "SELECT name FROM pragma_table_info('" + table + "')"));
  std::vector<std::string> columns;
  for (const std::string& name : names) columns.push_back("quote(" + sqlite::Quoted(name) + ")");
  return TrySelect(
      path, "SELECT " + absl::StrJoin(columns, " || '|' || ") + " FROM " + sqlite::Quoted(table) + " ORDER BY 1");
}

inline std::vector<std::string> DumpTable(const std::string& path, const std::string& table) {
  auto lines = TryDumpTable(path, table);
  EXPECT_TRUE(lines.ok()) << lines.status();
  return lines.ok() ? *std::move(lines) : std::vector<std::string>();
}

// Those that a read model declares.
inline std::vector<std::string> IndexesOf(const std::string& path, const std::string& table) {
  return Select(path, "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE '" + table + ".%' ORDER BY 1");
}

// Every table but everfold_meta, whose epoch differs from store to store.
inline std::string Dump(const std::string& path) {
  std::string dump;
  for (const std::string& table :
       Select(path, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'everfold_meta' ORDER BY 1")) {
    dump += table + "\n  " + absl::StrJoin(DumpTable(path, table), "\n  ") + "\n";
  }
  return dump;
}

}  // namespace everfold
