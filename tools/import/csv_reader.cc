#include "tools/import/csv_reader.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {
constexpr int kEnd = std::char_traits<char>::eof();
}

CsvReader::CsvReader(std::istream& input, QuotedLineEnds line_ends) : input_(*input.rdbuf()), line_ends_(line_ends) {
  SkipByteOrderMark();
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>& fields) {
  fields.clear();
  SkipLineEnds();
  record_line_ = next_line_;
  if (input_.sgetc() == kEnd) return false;
  while (true) {
    EVERFOLD_RETURN_IF_ERROR(ReadField(fields.emplace_back()));
    if (input_.sgetc() != ',') break;
    Take();
  }
  return true;
}

int CsvReader::Take() {
  const int byte = input_.sbumpc();
  if (byte == '\n') ++next_line_;
  return byte;
}

void CsvReader::SkipByteOrderMark() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (input_.sgetc() != 0xEF) return;
  for (std::size_t i = 0; i < kMark.size(); ++i) input_.sbumpc();
}

void CsvReader::SkipLineEnds() {
  while (input_.sgetc() == '\n' || input_.sgetc() == '\r') Take();
}

bool CsvReader::AtLineEnd() const {
  const int byte = input_.sgetc();
  return byte == '\n' || byte == '\r' || byte == kEnd;
}

absl::Status CsvReader::ReadField(std::string& field) {
  if (input_.sgetc() == '"') return ReadQuoted(field);
  while (!AtLineEnd() && input_.sgetc() != ',') {
    if (input_.sgetc() == '"') return Malformed("a quote within a field that does not begin with one");
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
      if (input_.sgetc() != '"') break;
      Take();
    }
    EVERFOLD_RETURN_IF_ERROR(Append(byte, field));
  }
  if (!AtLineEnd() && input_.sgetc() != ',') return Malformed("text behind a closing quote");
  return absl::OkStatus();
}

absl::Status CsvReader::Append(int byte, std::string& field) {
  if (field.size() == kMaxFieldBytes) return Malformed("a field of more than 1 MiB");
  field.push_back(static_cast<char>(byte));
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
