#include "tools/import_olist/row_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "tools/import/csv_reader.h"

namespace everfold {
namespace {

std::string TextOf(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

absl::Status Invalid(const std::string& why) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, why);
}

absl::StatusOr<std::vector<std::size_t>> ReadHeader(CsvReader& reader, const std::vector<std::string>& names,
                                                    std::size_t& width) {
  std::vector<std::string> header;
  EVERFOLD_ASSIGN_OR_RETURN(const bool has_header, reader.Next(header));
  if (!has_header) return Invalid("the file is empty");
  width = header.size();
  return FindColumns(header, names);
}

// Fields that a short record does not have stay empty.
Row Select(std::vector<std::string>& record, const std::vector<std::size_t>& columns, int line) {
  Row row{.line = line, .fields = std::vector<std::string>(columns.size())};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] < record.size()) row.fields[i] = std::move(record[columns[i]]);
  }
  return row;
}

absl::Status CheckWidth(std::size_t fields, std::size_t width) {
  if (fields == width) return absl::OkStatus();
  return Invalid(absl::StrFormat("%d fields, the header has %d", fields, width));
}

absl::Status Unreadable(const std::string& path, const CsvReader& reader, const absl::Status& status) {
  return absl::InternalError(absl::StrFormat("%s:%d: %s", path, reader.line(), TextOf(status)));
}

}  // namespace

absl::Status ReadRows(const std::string& path, const std::vector<std::string>& columns,
                      absl::FunctionRef<absl::Status(const Row&)> take,
                      absl::FunctionRef<void(const Row&, const std::string& why)> refuse) {
  std::ifstream input(path);
  if (!input) {
    return absl::NotFoundError(absl::StrFormat("%s: cannot be read: %s", path, std::generic_category().message(errno)));
  }
  CsvReader reader(input, QuotedLineEnds::kRefused);
  std::size_t width = 0;
  const absl::StatusOr<std::vector<std::size_t>> places = ReadHeader(reader, columns, width);
  if (absl::IsInternal(places.status())) return Unreadable(path, reader, places.status());
  if (!places.ok()) return Invalid(absl::StrFormat("%s: %s", path, TextOf(places.status())));

  std::vector<std::string> record;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(record);
    if (more.ok() && !*more) return absl::OkStatus();
    if (absl::IsInternal(more.status())) return Unreadable(path, reader, more.status());
    absl::Status status = more.status();
    if (status.ok()) status = CheckWidth(record.size(), width);
    const Row row = Select(record, *places, reader.line());
    if (status.ok()) status = take(row);
    if (!status.ok()) refuse(row, TextOf(status));
  }
}

}  // namespace everfold
