// What tables a file has, as a text that is kept in it: by it code tells whether it can go on with a file that other
// code has built, or can at least read it.
//
//   table "balance" key "wallet_id"
//   column "wallet_id" TEXT NOT NULL
//   column "lines" TEXT NOT NULL json 0011223344556677
//   column "status" TEXT NOT NULL enum
//   value "status" ORDER_STATUS_PLACED = 1
//   unique "owner", "name"
//
// Other indexes do not count: no row depends on them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

// Tables in the order of their names.
std::string DescribeTables(const std::vector<const ReadModelSchema*>& schemas);

// Statements that make a connection to a file with the tables of `description` show those of the schemas: a column or a
// table that was added since is there, as in rows that nobody has set it in. None where nothing was added; nullopt if a
// column, a key or the name of an enum's value is another one by now.
std::optional<std::vector<std::string>> ViewsOfAdded(std::string_view description,
                                                     const std::vector<const ReadModelSchema*>& schemas);

// Has the connection show the tables of the schemas, whoever built its file. FAILED_PRECONDITION (READ_MODEL_FAILED) if
// that is not possible.
absl::Status ShowAsOf(const std::vector<const ReadModelSchema*>& schemas, sqlite::Database& database);

}  // namespace everfold
