// A read model's shape in SQLite, and a row's way in and out. Generated code specializes ReadModelTraits for every
// message marked `option (everfold.v1.message).read_model`:
//
//   template <> struct ReadModelTraits<WalletBalance> {
//     struct Key { Key(std::string wallet_id); std::string wallet_id; };  // implicit when the key is one field
//     static const ReadModelSchema& Schema();
//     static void BindKey(const Key&, ColumnWriter&);       // key columns only, in the key's order, from index 0
//     static void Bind(const WalletBalance&, ColumnWriter&);   // all columns, in the schema's order, from index 0
//     static void Read(const ColumnReader&, WalletBalance&);   // all columns; leaves no field of the row untouched
//     static Key KeyOf(const WalletBalance&);
//     static void SetKey(const Key&, WalletBalance&);
//     static std::unique_ptr<RpcService> MakeQueryService(QueryEngine&);
//   };
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace everfold {

// SQLite's storage classes, as STRICT tables spell them.
enum class ColumnType { kInteger, kReal, kText, kBlob };

struct Column {
  std::string name;
  ColumnType type = ColumnType::kText;
  bool nullable = false;  // a field with presence: NULL where it is not set
  friend bool operator==(const Column&, const Column&) = default;
};

// Threading: immutable once made.
struct ReadModelSchema {
  std::string message;           // full name of the row's message
  std::string table;             // the message's name in snake_case
  std::vector<Column> columns;   // in the order of field numbers
  std::vector<std::size_t> key;  // indexes into columns, in the key's order
  friend bool operator==(const ReadModelSchema&, const ReadModelSchema&) = default;
};

// Where a row's values go. Indexes count from 0.
class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;
  virtual void Integer(int index, std::int64_t value) = 0;
  virtual void Real(int index, double value) = 0;
  virtual void Text(int index, std::string_view value) = 0;
  virtual void Blob(int index, std::string_view value) = 0;
  virtual void Null(int index) = 0;
};

// Where a row's values come from. Views are valid until the next row.
class ColumnReader {
 public:
  virtual ~ColumnReader() = default;
  virtual bool IsNull(int index) const = 0;
  virtual std::int64_t Integer(int index) const = 0;
  virtual double Real(int index) const = 0;
  virtual std::string_view Text(int index) const = 0;
  virtual std::string_view Blob(int index) const = 0;
};

template <class Row>
struct ReadModelTraits;

}  // namespace everfold
