#include "everfold/query/row_key.h"

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

class KeyRecorder final : public ColumnWriter {
 public:
  void Integer(int, std::int64_t value) override { key_.emplace_back(value); }
  void Real(int, double value) override { key_.emplace_back(value); }
  void Text(int, std::string_view value) override { key_.emplace_back(std::string(value)); }
  void Blob(int, std::string_view value) override { key_.emplace_back(std::string(value)); }
  void Null(int) override { key_.emplace_back(std::monostate()); }
  void CannotWrite(int, std::string_view) override { key_.emplace_back(std::monostate()); }
  RowKey Take() { return std::move(key_); }

 private:
  RowKey key_;
};

struct ValueText {
  std::string operator()(std::int64_t value) const { return absl::StrFormat("%d", value); }
  std::string operator()(double value) const { return absl::StrFormat("%g", value); }
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(const std::string& value) const { return IsPrintableUtf8(value) ? value : HexEncode(value); }
};

}  // namespace

RowKey RecordKey(const std::function<void(ColumnWriter&)>& bind) {
  KeyRecorder recorder;
  bind(recorder);
  return recorder.Take();
}

ColumnValue ReadValue(const ReadModelSchema& schema, std::size_t column, const ColumnReader& row) {
  const int index = static_cast<int>(column);
  if (schema.columns[column].nullable && row.IsNull(index)) return std::monostate();
  switch (schema.columns[column].type) {
    case ColumnType::kInteger:
      return row.Integer(index);
    case ColumnType::kReal:
      return row.Real(index);
    case ColumnType::kText:
      return std::string(row.Text(index));
    case ColumnType::kBlob:
      return std::string(row.Blob(index));
  }
  return std::monostate();
}

void WriteValue(ColumnType type, const ColumnValue& value, int index, ColumnWriter& out) {
  if (IsNull(value)) return out.Null(index);
  switch (type) {
    case ColumnType::kInteger:
      return out.Integer(index, std::get<std::int64_t>(value));
    case ColumnType::kReal:
      return out.Real(index, std::get<double>(value));
    case ColumnType::kText:
      return out.Text(index, std::get<std::string>(value));
    case ColumnType::kBlob:
      return out.Blob(index, std::get<std::string>(value));
  }
}

std::string ToText(const RowKey& key) {
  std::string text;
  for (const auto& value : key) {
    if (!text.empty()) text += '/';
    text += std::visit(ValueText{}, value);
  }
  return text;
}

}  // namespace everfold
