// Rows of the running transaction in memory, in front of their tables: a row that changes often in a batch is read
// once, and written once, in the order of the keys. Rows that did not change stay for later transactions.
//
// What handlers see is what they would see without it, errors included: a row that no column can hold fails at once,
// and tables with a unique index are not kept here, because two changes that break it and mend it again must not pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "everfold/base/check.h"
#include "everfold/event/utf8.h"
#include "everfold/projection/cached_rows.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/row_store.h"
#include "google/protobuf/message_lite.h"

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

// Whether a column can hold what is written. NaN is nothing that SQLite stores, and a text is UTF-8.
class WriteCheck final : public ColumnWriter {
 public:
  bool ok() const { return cannot_ < 0; }
  // REQUIRES: not ok. The first column that cannot.
  int column() const { return cannot_; }
  void Integer(int, std::int64_t) override {}
  void Real(int index, double value) override { Check(index, value == value); }
  void Text(int index, std::string_view value) override { Check(index, IsUtf8(value)); }
  void Blob(int, std::string_view) override {}
  void Null(int) override {}
  void CannotWrite(int index, std::string_view) override { Check(index, false); }

 private:
  void Check(int index, bool can) {
    if (!can && ok()) cannot_ = index;
  }
  int cannot_ = -1;
};

// True if there are values of its fields that a column cannot hold.
bool MayFailToWrite(const ReadModelSchema& schema);
bool HasUniqueIndex(const ReadModelSchema& schema);

// Parses what SerializePartial wrote, however deep messages lie in each other; false where a text in it is not UTF-8.
// Protobuf by itself stops at 100 levels, and those of an event, one of which a row may hold, are as many.
bool ReadMessage(std::string_view bytes, google::protobuf::MessageLite& message);

// SQLite holds no larger rows.
inline constexpr std::size_t kMaxRowBytes = 1'000'000'000;

// A row as bytes. Rows are messages; tests specialize it for what is none.
template <class Row>
struct RowBytes {
  static std::size_t Size(const Row& row) { return row.ByteSizeLong(); }
  // REQUIRES: Size was asked for last, and said so; texts of the row are UTF-8.
  static void Write(const Row& row, char* bytes, std::size_t) {
    row.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes));
  }
  // REQUIRES: Write wrote it.
  static void Read(std::string_view bytes, Row& row) { EVERFOLD_CHECK(ReadMessage(bytes, row)); }
};

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
    // As that of RowCache.
    virtual void Expect(std::string_view handled, std::size_t soon, std::size_t later) = 0;
    virtual std::size_t bytes() const = 0;
    virtual std::size_t changed_bytes() const = 0;
  };
  template <class Row>
  class RowsOf;

  // Null for a table whose rows are not kept here.
  template <class Row>
  RowsOf<Row>* Find(const ReadModelSchema& schema) {
    const auto [found, is_new] = tables_.try_emplace(&schema);
    if (is_new && !internal::HasUniqueIndex(schema)) found->second = std::make_unique<RowsOf<Row>>(schema);
    return static_cast<RowsOf<Row>*>(found->second.get());
  }

  // Most rows are those of an aggregate, by its id, and more of them than a processor's caches hold. Where the row that
  // was looked up last in a table is that of the event `handled`, those of later events are brought near: `soon` and
  // `later` are hashes (CachedRows::HashOf) of the ids of events that are to be handled then, or 0.
  void Expect(std::string_view handled, std::size_t soon, std::size_t later) {
    for (const auto& [schema, table] : tables_) {
      if (table != nullptr) table->Expect(handled, soon, later);
    }
  }

  void Flush(RowStore& rows);
  // Drops everything. What has changed and is not flushed is lost.
  void Forget();

  // Of memory: for all rows, and for those that have changed since the last Flush.
  std::size_t bytes() const;
  std::size_t changed_bytes() const;

 private:
  absl::flat_hash_map<const ReadModelSchema*, std::unique_ptr<Table>> tables_;
};

template <class Row>
class RowCache::RowsOf final : public RowCache::Table {
  using Traits = ReadModelTraits<Row>;
  using Key = typename Traits::Key;
  using Bytes = internal::RowBytes<Row>;

 public:
  explicit RowsOf(const ReadModelSchema& schema) : schema_(schema), may_fail_(internal::MayFailToWrite(schema)) {}

  std::optional<Row> Get(const Key& key, RowStore& rows) {
    const CachedRow* const cached = Load(key, rows);
    if (cached == nullptr || !cached->exists()) return std::nullopt;
    std::optional<Row> row(std::in_place);
    Bytes::Read(cached->bytes(), *row);
    return row;
  }

  void Upsert(const Row& row, RowStore& rows) {
    if (rows.MayChange(schema_)) Change(Place(Traits::KeyOf(row)), row, rows);
  }

  void Remove(const Key& key, RowStore& rows) {
    if (!rows.MayChange(schema_)) return;
    internal::WriteCheck check;
    Traits::BindKey(key, check);
    if (!check.ok()) return rows.Remove(schema_, [&key](ColumnWriter& out) { Traits::BindKey(key, out); });
    CachedRow& cached = Place(key);
    Row row;
    Traits::SetKey(key, row);
    Set(cached, row, /*exists=*/false);
    cached_.MarkChanged(cached);
  }

  // `edit` works on a copy: what it reads, and what an exception leaves, is the row as it was; and it may have the
  // cache forgotten.
  template <class F>
  void Edit(const Key& key, RowStore& rows, F& edit) {
    CachedRow* cached = Load(key, rows);
    if (cached == nullptr) return;
    std::unique_ptr<Row> row = TakeSpare();
    if (cached->exists()) {
      Bytes::Read(cached->bytes(), *row);
    } else {
      *row = Row();
      Traits::SetKey(key, *row);
    }
    const std::uint64_t forgotten = forgotten_;
    edit(*row);
    Traits::SetKey(key, *row);
    if (!rows.MayChange(schema_)) return;
    if (forgotten != forgotten_) cached = &Place(key);
    Change(*cached, *row, rows);
    spare_ = std::move(row);
  }

  void Flush(RowStore& rows) override {
    std::unique_ptr<Row> row = TakeSpare();
    std::vector<CachedRow*> changed = cached_.TakeChanged();
    const auto removed = std::stable_partition(changed.begin(), changed.end(), [](auto* it) { return it->exists(); });
    for (auto it = removed; it != changed.end(); ++it) {
      Bytes::Read((*it)->bytes(), *row);
      rows.Remove(schema_, [key = Traits::KeyOf(*row)](ColumnWriter& out) { Traits::BindKey(key, out); });
    }
    changed.erase(removed, changed.end());
    rows.UpsertAll(schema_, changed.size(), [&](std::size_t i, ColumnWriter& out) {
      Bytes::Read(changed[i]->bytes(), *row);
      Traits::Bind(*row, out);
    });
    spare_ = std::move(row);
  }

  void Forget() override {
    cached_.Clear();
    ++forgotten_;
    if (others_ == false) others_.reset();
  }

  void Expect(std::string_view handled, std::size_t soon, std::size_t later) override {
    if (scratch_ != handled) return;
    if (later != 0) cached_.ExpectLater(later);
    if (soon != 0) cached_.ExpectSoon(soon);
  }

  std::size_t bytes() const override { return cached_.bytes(); }
  std::size_t changed_bytes() const override { return cached_.changed_bytes(); }

 private:
  std::unique_ptr<Row> TakeSpare() { return spare_ != nullptr ? std::move(spare_) : std::make_unique<Row>(); }

  std::string_view BytesOf(const Key& key) {
    internal::KeyBytes bytes(scratch_);
    Traits::BindKey(key, bytes);
    bytes.Finish();
    return scratch_;
  }

  // A row that is to come may be as large as the last one, if that is small.
  std::size_t RoomOfNew() const { return std::min<std::size_t>(cached_.last_size(), 512); }

  // For what is written without being read.
  CachedRow& Place(const Key& key) {
    const std::string_view bytes = BytesOf(key);
    CachedRow* const cached = cached_.Find(bytes);
    return cached != nullptr ? *cached : cached_.Add(bytes, RoomOfNew());
  }

  // Null after an error of `rows`.
  CachedRow* Load(const Key& key, RowStore& rows) {
    if (CachedRow* const cached = cached_.Find(BytesOf(key)); cached != nullptr) return cached;
    if (IsNew(key, rows)) return &cached_.Add(scratch_, RoomOfNew());
    std::unique_ptr<Row> row = TakeSpare();
    const bool exists = rows.Get(
        schema_, [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [this, &row](const ColumnReader& in) { Read(in, *row); });
    if (!rows.status().ok()) return nullptr;
    CachedRow& cached = cached_.Add(BytesOf(key), exists ? Bytes::Size(*row) : RoomOfNew());
    if (exists) Set(cached, *row, /*exists=*/true);
    spare_ = std::move(row);
    return &cached;
  }

  // Whether there can be no row of this key, which is not here: what a table that was empty has since come to have is.
  // So the first of a build are not looked up one by one.
  bool IsNew(const Key& key, RowStore& rows) {
    if (!others_.has_value()) {
      const bool is_empty = rows.IsEmpty(schema_);
      if (!rows.status().ok()) return false;  // which says nothing about the table
      others_ = !is_empty;
    }
    if (*others_ || !rows.status().ok()) return false;
    internal::WriteCheck check;
    Traits::BindKey(key, check);
    return check.ok();  // or looking it up tells
  }

  void Read(const ColumnReader& in, Row& row) {
    Traits::Read(in, row);
    if (!may_fail_) return;
    internal::WriteCheck check;
    Traits::Bind(row, check);
    if (!check.ok()) in.CannotRead(check.column(), "holds what this column cannot hold");
  }

  void Set(CachedRow& cached, const Row& row, bool exists) { Set(cached, row, Bytes::Size(row), exists); }
  void Set(CachedRow& cached, const Row& row, std::size_t size, bool exists) {
    Bytes::Write(row, cached_.Set(cached, size, exists), size);
  }

  // A value that no column can hold is written at once, for its error.
  void Change(CachedRow& cached, const Row& row, RowStore& rows) {
    const std::size_t size = Bytes::Size(row);
    bool can = size <= internal::kMaxRowBytes;
    if (can && may_fail_) {
      internal::WriteCheck check;
      Traits::Bind(row, check);
      can = check.ok();
    }
    if (!can) return rows.Upsert(schema_, [&row](ColumnWriter& out) { Traits::Bind(row, out); });
    Set(cached, row, size, /*exists=*/true);
    cached_.MarkChanged(cached);
  }

  const ReadModelSchema& schema_;
  const bool may_fail_;
  CachedRows cached_;
  std::string scratch_;          // the key that was looked up last
  std::uint64_t forgotten_ = 0;  // how often
  std::optional<bool> others_;   // whether the table may have rows that are not here; asked until it may
  std::unique_ptr<Row> spare_;   // for the next edit
};

}  // namespace everfold
