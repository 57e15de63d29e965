#include "everfold/projection/row_cache.h"

#include <algorithm>
#include <cstring>

#include "google/protobuf/io/coded_stream.h"

namespace everfold {
namespace internal {
namespace {

void AppendBigEndian(std::uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

}  // namespace

void KeyBytes::Integer(int, std::int64_t value) {
  AppendBigEndian(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63), bytes_);
}

void KeyBytes::Real(int, double value) {
  if (value == 0) value = 0;  // SQLite does not tell -0.0 from 0.0
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  AppendBigEndian(bits, bytes_);
}

void KeyBytes::Text(int, std::string_view value) {
  bytes_ += value;
  lengths_.push_back(static_cast<std::uint32_t>(value.size()));
}

void KeyBytes::Finish() {
  if (lengths_.size() < 2) return;
  for (const std::uint32_t length : lengths_) AppendBigEndian(length, bytes_);
}

bool ReadMessage(std::string_view bytes, google::protobuf::MessageLite& message) {
  constexpr int kMaxDepth = 10'000;
  if (message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) return true;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kMaxDepth);
  return message.ParsePartialFromCodedStream(&in);
}

bool MayFailToWrite(const ReadModelSchema& schema) {
  return std::any_of(schema.columns.begin(), schema.columns.end(), [](const Column& column) {
    return column.type == ColumnType::kReal || column.type == ColumnType::kText;
  });
}

bool HasUniqueIndex(const ReadModelSchema& schema) {
  return std::any_of(schema.indexes.begin(), schema.indexes.end(), [](const Index& index) { return index.unique; });
}

}  // namespace internal

void RowCache::Flush(RowStore& rows) {
  for (const auto& [schema, table] : tables_) {
    if (table != nullptr && table->changed_bytes() > 0) table->Flush(rows);
  }
}

void RowCache::Forget() {
  for (const auto& [schema, table] : tables_) {
    if (table != nullptr) table->Forget();
  }
}

std::size_t RowCache::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [schema, table] : tables_) bytes += table != nullptr ? table->bytes() : 0;
  return bytes;
}

std::size_t RowCache::changed_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [schema, table] : tables_) bytes += table != nullptr ? table->changed_bytes() : 0;
  return bytes;
}

}  // namespace everfold
