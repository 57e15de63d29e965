// Read models as a projection's handlers see them.
//
//   using ReadModels = Tables<WalletBalance, DailyTurnover>;
//   static void On(const Deposited& e, const EventContext& c, ReadModels& t) {
//     t.Of<WalletBalance>().Edit(c.id, [&](WalletBalance& row) { row.set_balance_minor(...); });
//   }
#pragma once

#include <optional>
#include <utility>

#include "everfold/decide/types.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/row_store.h"

namespace everfold {

// Rows of one read model in the running transaction. Threading: one thread. Lifetime: one call of a handler.
// Errors: sticky in the transaction (RowStore); a handler goes on, and its batch is not committed.
template <class Row>
class Table {
 public:
  using Key = typename ReadModelTraits<Row>::Key;

  explicit Table(RowStore& rows) : rows_(rows) {}

  std::optional<Row> Get(const Key& key) {
    std::optional<Row> found;
    rows_.Get(
        Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&found](const ColumnReader& in) { Traits::Read(in, found.emplace()); });
    return found;
  }

  void Upsert(const Row& row) {
    rows_.Upsert(Traits::Schema(), [&row](ColumnWriter& out) { Traits::Bind(row, out); });
  }

  // Calls `edit` with the row of this key, or with an empty one that has the key set, and stores what it leaves.
  template <class F>
  void Edit(const Key& key, F edit) {
    Row row;
    const bool exists = rows_.Get(
        Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&row](const ColumnReader& in) { Traits::Read(in, row); });
    if (!exists) Traits::SetKey(key, row);
    edit(row);
    Upsert(row);
  }

  void Remove(const Key& key) {
    rows_.Remove(Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); });
  }

  // Calls `visit(const Row&)` for every row, in the order of the key. The table must not be changed meanwhile.
  template <class F>
  void Scan(F visit) {
    Row row;
    rows_.Scan(Traits::Schema(), [&](const ColumnReader& in) {
      Traits::Read(in, row);
      visit(std::as_const(row));
    });
  }

 private:
  using Traits = ReadModelTraits<Row>;
  RowStore& rows_;
};

template <class... Rows>
class Tables {
 public:
  using List = Types<Rows...>;

  explicit Tables(RowStore& rows) : rows_(rows) {}

  template <class Row>
  Table<Row> Of() {
    static_assert(kIsIn<Row, List>, "Of: this read model is not in the projection's Tables<...>");
    return Table<Row>(rows_);
  }

 private:
  RowStore& rows_;
};

}  // namespace everfold
