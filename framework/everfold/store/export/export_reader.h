// Reads an export (everfold/v1/export.proto) line by line, and refuses what is none: it may have been cut, edited, or
// written by another program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/store/export/message_json.h"
#include "everfold/v1/export.pb.h"

namespace everfold {

// The status with "line 7: " before its message.
absl::Status AtLine(std::uint64_t line, const absl::Status& status);

// Errors: INVALID_ARGUMENT, with the number of the line, for what is no export; those of `next_line`.
// Threading: one thread.
class ExportReader {
 public:
  // Replaces `line` by the next line, without its line break; false at the end.
  using NextLine = absl::AnyInvocable<absl::StatusOr<bool>(std::string& line)>;

  // Reads the header. INVALID_ARGUMENT (FORMAT_UNKNOWN) for a version that this program does not know.
  static absl::StatusOr<std::unique_ptr<ExportReader>> Open(NextLine next_line);

  const v1::ExportHeader& header() const { return header_; }

  // Moves to the next commit, the first one at the first call; false behind the last one. Sequences have then been
  // dense from 1, times have not stepped back, and the end has counted what there was; there is nothing behind it.
  absl::StatusOr<bool> Next();

  // REQUIRES: the last Next returned true. Valid until the next call of Next; the caller may take its parts.
  v1::ExportedCommit& commit() { return *line_.mutable_commit(); }
  std::uint64_t line_number() const { return line_number_; }
  std::size_t line_bytes() const { return text_.size(); }

  // So far.
  std::uint64_t commits() const { return commits_; }
  std::uint64_t events() const { return events_; }

 private:
  explicit ExportReader(NextLine next_line) : next_line_(std::move(next_line)) {}

  absl::StatusOr<bool> ReadLine();
  absl::Status TakeHeader();
  absl::StatusOr<bool> TakeLine();
  absl::Status TakeDescriptors() const;
  absl::Status TakeCommit();
  absl::Status TakeEnd();
  absl::Status CheckNothingFollows();
  absl::Status Invalid(const std::string& what) const;

  NextLine next_line_;
  MessageJson json_;
  std::string text_;
  v1::ExportLine line_;
  v1::ExportHeader header_;
  std::uint64_t line_number_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t events_ = 0;
  absl::Time recorded_at_ = absl::InfinitePast();
};

}  // namespace everfold
