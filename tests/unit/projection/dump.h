// What a projection's file holds, as another SQLite connection sees it: one line a row, sorted by the key.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "everfold/projection/sqlite.h"
#include "gtest/gtest.h"

namespace everfold {

// The first column of every row.
inline std::vector<std::string> Select(const std::string& path, const std::string& sql) {
  const auto database = sqlite::Database::Open(path, sqlite::Access::kReadOnly);
  EXPECT_TRUE(database.ok()) << database.status();
  const auto statement = (*database)->Prepare(sql);
  EXPECT_TRUE(statement.ok()) << statement.status();
  std::vector<std::string> values;
  while (true) {
    const auto found = (*statement)->Step();
    EXPECT_TRUE(found.ok()) << found.status();
    if (!found.value_or(false)) return values;
    values.emplace_back((*statement)->Text(0));
  }
}

// Changes a file behind the framework's back.
inline void Alter(const std::string& path, const std::string& sql) {
  const auto database = sqlite::Database::Open(path, sqlite::Access::kReadWrite);
  ASSERT_TRUE(database.ok()) << database.status();
  const absl::Status status = (*database)->Execute(sql);
  ASSERT_TRUE(status.ok()) << status;
}

inline std::vector<std::string> DumpTable(const std::string& path, const std::string& table) {
  std::vector<std::string> columns;
  for (const std::string& name : Select(path, "SELECT name FROM pragma_table_info('" + table + "')")) {
    columns.push_back("quote(" + sqlite::Quoted(name) + ")");
  }
  return Select(path,
                "SELECT " + absl::StrJoin(columns, " || '|' || ") + " FROM " + sqlite::Quoted(table) + " ORDER BY 1");
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
