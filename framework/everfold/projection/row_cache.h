// Rows of the running transaction as messages in memory, in front of their tables: a row that changes often in a batch
// is read once, and written once, in the order of the keys. Rows that did not change stay for later transactions.
//
// What handlers see is what they would see without it, errors included: a row that no column can hold fails at once,
// and tables with a unique index are not kept here, because two changes that break it and mend it again must not pass.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/row_store.h"

namespace everfold {

namespace internal {

// A key as bytes: equal for equal keys, and for most of them in the order of the table.
class KeyBytes final : public ColumnWriter {
 public:
  explicit KeyBytes(std::string& bytes) : bytes_(bytes) { bytes_.clear(); }
  // Call it at the end: where texts end is part of the key.
  void Finish();

  void Integer(int index, std::int64_t value) override;
  void Real(int index, double value) override;
  void Text(int index, std::string_view value) override;
  void Blob(int index, std::string_view value) override { Text(index, value); }
  void Null(int) override {}
  void CannotWrite(int, std::string_view) override {}

 private:
  std::string& bytes_;
  std::vector<std::uint32_t> lengths_;
};

// Whether a column can hold what is written. NaN is nothing that SQLite stores.
class WriteCheck final : public ColumnWriter {
 public:
  bool ok() const { return ok_; }
  void Integer(int, std::int64_t) override {}
  void Real(int, double value) override { ok_ = ok_ && value == value; }
  void Text(int, std::string_view) override {}
  void Blob(int, std::string_view) override {}
  void Null(int) override {}
  void CannotWrite(int, std::string_view) override { ok_ = false; }

 private:
  bool ok_ = true;
};

// True if there are values of its fields that a column cannot hold.
bool MayFailToWrite(const ReadModelSchema& schema);
bool HasUniqueIndex(const ReadModelSchema& schema);

template <class Row>
std::size_t BytesOfRow(const Row& row) {
  if constexpr (requires { row.ByteSizeLong(); }) return sizeof(Row) + 3 * row.ByteSizeLong();
  return sizeof(Row);
}

}  // namespace internal

// Threading: one thread. Lifetime: as the RowStore that it stands before.
class RowCache {
 public:
  class Table {
   public:
    virtual ~Table() = default;
    // Writes what has changed.
    virtual void Flush(RowStore& rows) = 0;
    virtual void Forget() = 0;
  };
  template <class Row>
  class RowsOf;

  // Null for a table whose rows are not kept here.
  template <class Row>
  RowsOf<Row>* Find(const ReadModelSchema& schema) {
    const auto [found, is_new] = tables_.try_emplace(&schema);
    if (is_new && !internal::HasUniqueIndex(schema)) found->second = std::make_unique<RowsOf<Row>>(schema, *this);
    return static_cast<RowsOf<Row>*>(found->second.get());
  }

  void Flush(RowStore& rows);
  // Drops everything. What has changed and is not flushed is lost.
  void Forget();

  // About. Of all rows, and of those that have changed since the last Flush.
  std::size_t bytes() const { return bytes_; }
  std::size_t changed_bytes() const { return changed_bytes_; }

 private:
  absl::flat_hash_map<const ReadModelSchema*, std::unique_ptr<Table>> tables_;
  std::size_t bytes_ = 0, changed_bytes_ = 0;
};

template <class Row>
class RowCache::RowsOf final : public RowCache::Table {
  using Traits = ReadModelTraits<Row>;
  using Key = typename Traits::Key;

 public:
  struct Entry {
    Row row = {};                      // its key is set always
    const std::string* key = nullptr;  // KeyBytes of it
    bool exists = false;
    bool changed = false;
    std::size_t bytes = 0;
  };

  RowsOf(const ReadModelSchema& schema, RowCache& cache)
      : schema_(schema), cache_(cache), may_fail_(internal::MayFailToWrite(schema)) {}

  // Null after an error of `rows`.
  Entry* Load(const Key& key, RowStore& rows) {
    internal::KeyBytes bytes(scratch_);
    Traits::BindKey(key, bytes);
    bytes.Finish();
    const auto [found, is_new] = entries_.try_emplace(scratch_);
    Entry& entry = found->second;
    if (!is_new) return &entry;
    entry.key = &found->first;
    entry.exists = rows.Get(
        schema_, [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&entry](const ColumnReader& in) { Traits::Read(in, entry.row); });
    if (!rows.status().ok()) {
      entries_.erase(found);
      return nullptr;
    }
    if (!entry.exists) Traits::SetKey(key, entry.row);
    entry.bytes = sizeof(Entry) + 2 * scratch_.size() + internal::BytesOfRow(entry.row);
    cache_.bytes_ += entry.bytes;
    return &entry;
  }

  // `edit` works on a copy: what it reads, and what an exception leaves, is the row as it was; and it may have the
  // cache forgotten.
  template <class F>
  void Edit(const Key& key, RowStore& rows, F& edit) {
    Entry* entry = Load(key, rows);
    if (entry == nullptr) return;
    std::unique_ptr<Row> row = spare_ != nullptr ? std::move(spare_) : std::make_unique<Row>();
    *row = entry->row;
    const std::uint64_t forgotten = forgotten_;
    edit(*row);
    Traits::SetKey(key, *row);
    if (!rows.MayChange(schema_)) return;
    if (forgotten != forgotten_) entry = Load(key, rows);
    if (entry == nullptr) return;
    std::swap(entry->row, *row);
    Changed(*entry, rows);
    spare_ = std::move(row);
  }

  // The entry's row was changed, and exists. A value that no column can hold is written at once, for its error.
  void Changed(Entry& entry, RowStore& rows) {
    entry.exists = true;
    if (may_fail_) {
      internal::WriteCheck check;
      Traits::Bind(entry.row, check);
      if (!check.ok()) return rows.Upsert(schema_, [&entry](ColumnWriter& out) { Traits::Bind(entry.row, out); });
    }
    const std::size_t bytes = sizeof(Entry) + internal::BytesOfRow(entry.row);
    if (bytes > entry.bytes) {
      const std::size_t grown = bytes - entry.bytes;
      cache_.bytes_ += grown;
      if (entry.changed) cache_.changed_bytes_ += grown;
      entry.bytes = bytes;
    }
    MarkChanged(entry);
  }

  void Removed(Entry& entry) {
    if (!entry.exists) return;
    const Key key = Traits::KeyOf(entry.row);
    entry.row = Row();
    Traits::SetKey(key, entry.row);
    entry.exists = false;
    MarkChanged(entry);
  }

  void Flush(RowStore& rows) override {
    std::sort(changed_.begin(), changed_.end(), [](const Entry* a, const Entry* b) { return *a->key < *b->key; });
    for (Entry* const entry : changed_) {
      entry->changed = false;
      if (entry->exists) {
        rows.Upsert(schema_, [&row = entry->row](ColumnWriter& out) { Traits::Bind(row, out); });
      } else {
        rows.Remove(schema_, [key = Traits::KeyOf(entry->row)](ColumnWriter& out) { Traits::BindKey(key, out); });
      }
    }
    changed_.clear();
  }

  void Forget() override {
    changed_.clear();
    entries_.clear();
    ++forgotten_;
  }

 private:
  void MarkChanged(Entry& entry) {
    if (entry.changed) return;
    entry.changed = true;
    changed_.push_back(&entry);
    cache_.changed_bytes_ += entry.bytes;
  }

  const ReadModelSchema& schema_;
  RowCache& cache_;
  const bool may_fail_;
  std::string scratch_;
  absl::node_hash_map<std::string, Entry> entries_;  // by KeyBytes; an entry stays where it is
  std::vector<Entry*> changed_;                      // since the last Flush
  std::uint64_t forgotten_ = 0;                      // how often
  std::unique_ptr<Row> spare_;                       // for the next edit
};

}  // namespace everfold
