#include "everfold/query/page_token.h"

#include <bit>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t kFormatVersion = 1;

std::uint32_t NumberOf(ColumnType type) { return static_cast<std::uint32_t>(type); }

void WriteBytes(CodedOutputStream& out, const std::string& bytes) {
  out.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

bool ReadBytes(CodedInputStream& in, std::string& bytes) {
  std::uint32_t size = 0;
  return in.ReadVarint32(&size) && in.ReadString(&bytes, static_cast<int>(size));
}

struct ValueWriter {
  CodedOutputStream& out;
  void operator()(std::int64_t value) const { out.WriteLittleEndian64(static_cast<std::uint64_t>(value)); }
  void operator()(double value) const { out.WriteLittleEndian64(std::bit_cast<std::uint64_t>(value)); }
  void operator()(const std::string& value) const { WriteBytes(out, value); }
};

bool ReadValue(CodedInputStream& in, ColumnType type, RowKey& key) {
  std::uint32_t number = 0;
  if (!in.ReadVarint32(&number) || number != NumberOf(type)) return false;
  std::string bytes;
  std::uint64_t bits = 0;
  switch (type) {
    case ColumnType::kInteger:
      if (!in.ReadLittleEndian64(&bits)) return false;
      key.emplace_back(static_cast<std::int64_t>(bits));
      return true;
    case ColumnType::kReal:
      if (!in.ReadLittleEndian64(&bits)) return false;
      key.emplace_back(std::bit_cast<double>(bits));
      return true;
    case ColumnType::kText:
    case ColumnType::kBlob:
      if (!ReadBytes(in, bytes)) return false;
      key.emplace_back(std::move(bytes));
      return true;
  }
  return false;
}

bool ReadKeyValues(CodedInputStream& in, const ReadModelSchema& schema, RowKey& key) {
  for (const std::size_t column : schema.key) {
    if (!ReadValue(in, schema.columns[column].type, key)) return false;
  }
  return in.ExpectAtEnd() || in.BytesUntilLimit() == 0;
}

absl::Status Refused(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

}  // namespace

std::string EncodePageToken(const ReadModelSchema& schema, const RowKey& key) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    CodedOutputStream out(&stream);
    out.WriteVarint32(kFormatVersion);
    WriteBytes(out, schema.message);
    for (std::size_t i = 0; i < key.size(); ++i) {
      out.WriteVarint32(NumberOf(schema.columns[schema.key[i]].type));
      std::visit(ValueWriter{out}, key[i]);
    }
  }
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<RowKey> DecodePageToken(const ReadModelSchema& schema, std::string_view text) {
  const absl::Status malformed = Refused("page_token is not one that a list returned");
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(std::string(text), &bytes)) return malformed;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  std::uint32_t version = 0;
  std::string message;
  if (!in.ReadVarint32(&version) || version != kFormatVersion || !ReadBytes(in, message)) return malformed;
  if (message != schema.message) {
    return Refused(absl::StrFormat("page_token is of another list than %s", schema.message));
  }
  RowKey key;
  if (!ReadKeyValues(in, schema, key)) return malformed;
  return key;
}

}  // namespace everfold
