// Rows that are no messages as bytes, by way of their columns.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "everfold/base/check.h"
#include "everfold/projection/read_model.h"

namespace everfold {

class ColumnsToBytes final : public ColumnWriter {
 public:
  void Integer(int, std::int64_t value) override { Add({reinterpret_cast<const char*>(&value), sizeof(value)}); }
  void Real(int, double value) override { Add({reinterpret_cast<const char*>(&value), sizeof(value)}); }
  void Text(int, std::string_view value) override { Add(value); }
  void Blob(int, std::string_view value) override { Add(value); }
  void Null(int) override { bytes += 'n'; }
  void CannotWrite(int, std::string_view) override { Null(0); }

  std::string bytes;

 private:
  void Add(std::string_view value) {
    const auto size = static_cast<std::uint32_t>(value.size());
    bytes += 'v';
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes += value;
  }
};

class ColumnsOfBytes final : public ColumnReader {
 public:
  explicit ColumnsOfBytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const bool is_null = bytes.front() == 'n';
      bytes.remove_prefix(1);
      nulls_.push_back(is_null);
      if (is_null) {
        values_.emplace_back();
        continue;
      }
      std::uint32_t size = 0;
      std::memcpy(&size, bytes.data(), sizeof(size));
      values_.push_back(bytes.substr(sizeof(size), size));
      bytes.remove_prefix(sizeof(size) + size);
    }
  }

  bool IsNull(int index) const override { return nulls_[static_cast<std::size_t>(index)]; }
  std::int64_t Integer(int index) const override { return As<std::int64_t>(index); }
  double Real(int index) const override { return As<double>(index); }
  std::string_view Text(int index) const override { return values_[static_cast<std::size_t>(index)]; }
  std::string_view Blob(int index) const override { return Text(index); }
  void CannotRead(int, std::string_view) const override { EVERFOLD_CHECK(false); }

 private:
  template <class T>
  T As(int index) const {
    T value = 0;
    std::memcpy(&value, Text(index).data(), sizeof(value));
    return value;
  }
  std::vector<bool> nulls_;
  std::vector<std::string_view> values_;
};

template <class Row>
struct ColumnsAsBytes {
  static std::string BytesOf(const Row& row) {
    ColumnsToBytes columns;
    ReadModelTraits<Row>::Bind(row, columns);
    return columns.bytes;
  }
  static std::size_t Size(const Row& row) { return BytesOf(row).size(); }
  static void Write(const Row& row, char* bytes, std::size_t size) { std::memcpy(bytes, BytesOf(row).data(), size); }
  static void Read(std::string_view bytes, Row& row) { ReadModelTraits<Row>::Read(ColumnsOfBytes(bytes), row); }
};

}  // namespace everfold
