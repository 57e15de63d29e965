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
  void Null(int) override { key_.emplace_back(std::string()); }
  RowKey Take() { return std::move(key_); }

 private:
  RowKey key_;
};

struct ValueText {
  std::string operator()(std::int64_t value) const { return absl::StrFormat("%d", value); }
  std::string operator()(double value) const { return absl::StrFormat("%g", value); }
  std::string operator()(const std::string& value) const { return IsPrintableUtf8(value) ? value : HexEncode(value); }
};

}  // namespace

RowKey RecordKey(const std::function<void(ColumnWriter&)>& bind) {
  KeyRecorder recorder;
  bind(recorder);
  return recorder.Take();
}

RowKey ReadKey(const ReadModelSchema& schema, const ColumnReader& row) {
  RowKey key;
  for (const std::size_t column : schema.key) {
    const int index = static_cast<int>(column);
    switch (schema.columns[column].type) {
      case ColumnType::kInteger:
        key.emplace_back(row.Integer(index));
        break;
      case ColumnType::kReal:
        key.emplace_back(row.Real(index));
        break;
      case ColumnType::kText:
        key.emplace_back(std::string(row.Text(index)));
        break;
      case ColumnType::kBlob:
        key.emplace_back(std::string(row.Blob(index)));
        break;
    }
  }
  return key;
}

void WriteKey(const ReadModelSchema& schema, const RowKey& key, ColumnWriter& out) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int index = static_cast<int>(i);
    switch (schema.columns[schema.key[i]].type) {
      case ColumnType::kInteger:
        out.Integer(index, std::get<std::int64_t>(key[i]));
        break;
      case ColumnType::kReal:
        out.Real(index, std::get<double>(key[i]));
        break;
      case ColumnType::kText:
        out.Text(index, std::get<std::string>(key[i]));
        break;
      case ColumnType::kBlob:
        out.Blob(index, std::get<std::string>(key[i]));
        break;
    }
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
