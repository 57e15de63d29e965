#include "tools/import/csv_reader.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();
constexpr int kCrLf = 256;  // behind all bytes

constexpr char kCutOff[] = "the file ends in the middle of this line";
constexpr char kLoneReturn[] = "a carriage return without the line feed of a line end";

}  // namespace

CsvReader::CsvReader(std::istream& input, QuotedLineEnds line_ends) : input_(*input.rdbuf()), line_ends_(line_ends) {
  SkipByteOrderMark();
  byte_after_ = ReadByte();
  Advance();
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>& fields) {
  fields.clear();
  SkipLineEnds();
  record_line_ = next_line_;
  const bool more = byte_ != kEnd;
  absl::Status status = more ? ReadRecord(fields) : absl::OkStatus();
  if (!failed_.ok()) return failed_;
  if (!status.ok()) return status;
  return more;
}

absl::Status CsvReader::ReadRecord(std::vector<std::string>& fields) {
  while (true) {
    EVERFOLD_RETURN_IF_ERROR(ReadField(fields.emplace_back()));
    if (byte_ != ',') break;
    Take();
  }
  return byte_ == kEnd ? Malformed(kCutOff) : absl::OkStatus();
}

// A file's buffer throws where the disk does not answer, or where the file is a folder.
int CsvReader::ReadByte() {
  if (!unread_.empty()) {
    const int byte = static_cast<unsigned char>(unread_.front());
    unread_.erase(0, 1);
    return byte;
  }
  if (!failed_.ok()) return kEnd;
  try {
    return input_.sbumpc();
  } catch (const std::ios_base::failure& error) {
    failed_ = absl::InternalError("cannot be read: " + error.code().message());
    return kEnd;
  }
}

void CsvReader::Advance() {
  byte_ = byte_after_;
  if (byte_ != kEnd) byte_after_ = ReadByte();
  if (byte_ != '\r' || byte_after_ != '\n') return;
  byte_ = kCrLf;
  byte_after_ = ReadByte();
}

int CsvReader::Take() {
  const int byte = byte_;
  if (byte == '\n' || byte == kCrLf) ++next_line_;
  Advance();
  return byte;
}

void CsvReader::SkipByteOrderMark() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  std::string beginning;
  while (beginning.size() < kMark.size() && kMark.starts_with(beginning)) {
    const int byte = ReadByte();
    if (byte == kEnd) break;
    beginning.push_back(static_cast<char>(byte));
  }
  if (beginning != kMark) unread_ = beginning;
}

void CsvReader::SkipLineEnds() {
  while (byte_ == '\n' || byte_ == kCrLf) Take();
}

bool CsvReader::AtLineEnd() const { return byte_ == '\n' || byte_ == kCrLf || byte_ == kEnd; }

absl::Status CsvReader::ReadField(std::string& field) {
  if (byte_ == '"') return ReadQuoted(field);
  while (!AtLineEnd() && byte_ != ',') {
    if (byte_ == '"') return Malformed("a quote within a field that does not begin with one");
    if (byte_ == '\r') return Malformed(byte_after_ == kEnd ? kCutOff : kLoneReturn);
    EVERFOLD_RETURN_IF_ERROR(Append(Take(), field));
  }
  return absl::OkStatus();
}

absl::Status CsvReader::ReadQuoted(std::string& field) {
  Take();
  while (true) {
    if (line_ends_ == QuotedLineEnds::kRefused && AtLineEnd()) return Malformed("a quote that its line does not close");
    const int byte = Take();
    if (byte == kEnd) return Malformed("a quote that is never closed");
    if (byte == '"') {
      if (byte_ != '"') break;
      Take();
    }
    EVERFOLD_RETURN_IF_ERROR(Append(byte, field));
  }
  if (byte_ == '\r' && byte_after_ == kEnd) return Malformed(kCutOff);
  if (!AtLineEnd() && byte_ != ',') return Malformed("text behind a closing quote");
  return absl::OkStatus();
}

absl::Status CsvReader::Append(int byte, std::string& field) {
  if (field.size() >= kMaxFieldBytes) return Malformed("a field of more than 1 MiB");
  if (byte == kCrLf) field.push_back('\r');
  field.push_back(static_cast<char>(byte == kCrLf ? '\n' : byte));
  return absl::OkStatus();
}

absl::Status CsvReader::Malformed(const char* what) {
  while (!AtLineEnd()) Take();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, what);
}

absl::StatusOr<std::vector<std::size_t>> FindColumns(const std::vector<std::string>& header,
                                                     const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) missing.push_back(name);
    columns.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  if (missing.empty()) return columns;
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("the header lacks: %s", absl::StrJoin(missing, ", ")));
}

}  // namespace everfold
