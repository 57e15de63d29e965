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

namespace google::protobuf {
class EnumDescriptor;
}

namespace everfold {

// SQLite's storage classes, as STRICT tables spell them.
enum class ColumnType { kInteger, kReal, kText, kBlob };

// What the values of a column stand for, where SQLite has no type of its own for it.
enum class ColumnMeaning {
  kPlain,
  kBool,       // 0 or 1
  kFloat,      // a number of a float's 32 bits, to whose precision what it is compared with is rounded
  kUnsigned,   // the 64 bits of a number without sign: not in its order from 2^63 on
  kEnum,       // the value's name; the number of one without name
  kTimestamp,  // RFC 3339 in UTC with nine digits of a second: "2026-01-31T08:00:00.000000000Z"
  kJson,       // a message, a repeated field or a map in the JSON form of proto3
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::kText;
  bool nullable = false;  // a field with presence: NULL where it is not set
  ColumnMeaning meaning = ColumnMeaning::kPlain;
  std::string field = {};                                         // "total.minor"; empty: the column's name
  const google::protobuf::EnumDescriptor* enumeration = nullptr;  // of kEnum
  std::string shape = {};  // of kJson: a digest of what may be in it; other values need other rows

  const std::string& field_path() const { return field.empty() ? name : field; }
  friend bool operator==(const Column&, const Column&) = default;
};

struct Index {
  std::vector<std::size_t> columns;  // in the index's order
  bool unique = false;
  friend bool operator==(const Index&, const Index&) = default;
};

// Threading: immutable once made.
struct ReadModelSchema {
  std::string message;           // full name of the row's message
  std::string table;             // the message's name in snake_case
  std::vector<Column> columns;   // in the order of field numbers; a Money has two
  std::vector<std::size_t> key;  // indexes into columns, in the key's order
  std::vector<Index> indexes = {};
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
  // There is no form of the value that a column can hold; the write fails with `why`.
  virtual void CannotWrite(int index, std::string_view why) = 0;
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
  // The column holds no value of its field; the read fails with `why`.
  virtual void CannotRead(int index, std::string_view why) const = 0;
};

template <class Row>
struct ReadModelTraits;

}  // namespace everfold
