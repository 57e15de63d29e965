// Records of a comma-separated file (RFC 4180): a field may be quoted, a quote inside it is doubled, and a quoted field
// may hold commas and line ends. Lines end with LF or CRLF; empty lines and a UTF-8 byte order mark are skipped. The
// last line must end, too: without that, nobody can tell a whole file from one that was cut off within an amount.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace everfold {

// Whether a quoted field may go on in the next line. Where it may not, a quote that is left open spoils its own line
// only, and not all that follow.
enum class QuotedLineEnds { kAllowed, kRefused };

// Threading: one thread. Lifetime: the input outlives it.
class CsvReader {
 public:
  // A quote that nobody closes must not read a whole disk into memory.
  static constexpr std::size_t kMaxFieldBytes = 1 << 20;

  explicit CsvReader(std::istream& input, QuotedLineEnds line_ends = QuotedLineEnds::kAllowed);

  // Fills `fields` with the next record; false at the end. INVALID_ARGUMENT for a record that is malformed: line()
  // tells where it began, and the next call goes on behind the line where the fault was seen. INTERNAL where the input
  // cannot be read ("cannot be read: Is a directory"): nothing can be known of what follows.
  absl::StatusOr<bool> Next(std::vector<std::string>& fields);

  // The line on which the last record began; the first is 1.
  int line() const { return record_line_; }

 private:
  int ReadByte();
  void Advance();
  int Take();
  void SkipByteOrderMark();
  void SkipLineEnds();
  bool AtLineEnd() const;
  absl::Status ReadRecord(std::vector<std::string>& fields);
  absl::Status ReadField(std::string& field);
  absl::Status ReadQuoted(std::string& field);
  absl::Status Append(int byte, std::string& field);
  absl::Status Malformed(const char* what);

  std::streambuf& input_;
  const QuotedLineEnds line_ends_;
  absl::Status failed_;  // why the input could not be read on
  std::string unread_;   // bytes that come before those of the input
  int byte_ = 0;         // the next one; CRLF is one
  int byte_after_ = 0;
  int next_line_ = 1;
  int record_line_ = 0;
};

// Where each of `names` stands in a header. INVALID_ARGUMENT names those that are missing.
absl::StatusOr<std::vector<std::size_t>> FindColumns(const std::vector<std::string>& header,
                                                     const std::vector<std::string>& names);

}  // namespace everfold
