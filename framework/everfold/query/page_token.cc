#include "everfold/query/page_token.h"

#include <bit>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace everfold {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t kFormatVersion = 2;
constexpr std::uint32_t kNull = 4;
constexpr std::size_t kDigestBytes = 8;

std::uint32_t NumberOf(ColumnType type) { return static_cast<std::uint32_t>(type); }

void WriteBytes(CodedOutputStream& out, const std::string& bytes) {
  out.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

bool ReadBytes(CodedInputStream& in, std::string& bytes) {
  std::uint32_t size = 0;
  return in.ReadVarint32(&size) && in.ReadString(&bytes, static_cast<int>(size));
}

// Of what a page token belongs to beside its read model.
std::string DigestOf(const ListQuestion& question) {
  if (question.filter.empty() && question.order_by.empty()) return std::string(kDigestBytes, '\0');
  Sha256Hasher hasher;
  hasher.Add(question.filter);
  hasher.Add(std::string_view("\0", 1));
  hasher.Add(question.order_by);
  const auto digest = hasher.Finish();
  return std::string(reinterpret_cast<const char*>(digest.data()), kDigestBytes);
}

struct ValueWriter {
  CodedOutputStream& out;
  void operator()(std::monostate) const {}
  void operator()(std::int64_t value) const { out.WriteLittleEndian64(static_cast<std::uint64_t>(value)); }
  void operator()(double value) const { out.WriteLittleEndian64(std::bit_cast<std::uint64_t>(value)); }
  void operator()(const std::string& value) const { WriteBytes(out, value); }
};

bool ReadValue(CodedInputStream& in, const Column& column, std::vector<ColumnValue>& values) {
  std::uint32_t number = 0;
  if (!in.ReadVarint32(&number)) return false;
  if (number == kNull) {
    values.emplace_back(std::monostate());
    return column.nullable;
  }
  if (number != NumberOf(column.type)) return false;
  std::string bytes;
  std::uint64_t bits = 0;
  switch (column.type) {
    case ColumnType::kInteger:
      if (!in.ReadLittleEndian64(&bits)) return false;
      values.emplace_back(static_cast<std::int64_t>(bits));
      return true;
    case ColumnType::kReal:
      if (!in.ReadLittleEndian64(&bits)) return false;
      values.emplace_back(std::bit_cast<double>(bits));
      return true;
    case ColumnType::kText:
    case ColumnType::kBlob:
      if (!ReadBytes(in, bytes)) return false;
      values.emplace_back(std::move(bytes));
      return true;
  }
  return false;
}

bool ReadValues(CodedInputStream& in, const ListQuestion& question, std::vector<ColumnValue>& values) {
  for (const OrderTerm& term : question.order) {
    if (!ReadValue(in, question.schema.columns[term.column], values)) return false;
  }
  return in.ExpectAtEnd() || in.BytesUntilLimit() == 0;
}

absl::Status Refused(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

}  // namespace

std::string EncodePageToken(const ListQuestion& question, const std::vector<ColumnValue>& after) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    CodedOutputStream out(&stream);
    out.WriteVarint32(kFormatVersion);
    WriteBytes(out, question.schema.message);
    out.WriteString(DigestOf(question));
    for (std::size_t i = 0; i < after.size(); ++i) {
      const Column& column = question.schema.columns[question.order[i].column];
      out.WriteVarint32(IsNull(after[i]) ? kNull : NumberOf(column.type));
      std::visit(ValueWriter{out}, after[i]);
    }
  }
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::vector<ColumnValue>> DecodePageToken(const ListQuestion& question, std::string_view text) {
  const absl::Status malformed = Refused("page_token is not one that a list returned");
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(std::string(text), &bytes)) return malformed;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  std::uint32_t version = 0;
  std::string message, digest;
  if (!in.ReadVarint32(&version) || version != kFormatVersion || !ReadBytes(in, message)) return malformed;
  if (message != question.schema.message) {
    return Refused(absl::StrFormat("page_token is of another list than %s", question.schema.message));
  }
  if (!in.ReadString(&digest, kDigestBytes)) return malformed;
  if (digest != DigestOf(question)) {
    return Refused("page_token is of a list with another filter or order_by; ask for all pages with the same");
  }
  std::vector<ColumnValue> after;
  if (!ReadValues(in, question, after)) return malformed;
  return after;
}

}  // namespace everfold
