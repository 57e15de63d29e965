#include "everfold/store/export/export_reader.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/store/export/export_store.h"
#include "google/protobuf/descriptor.pb.h"

namespace everfold {

absl::Status AtLine(std::uint64_t line, const absl::Status& status) {
  if (status.ok()) return status;
  return Annotate(absl::StrFormat("line %d", line), status);
}

absl::StatusOr<std::unique_ptr<ExportReader>> ExportReader::Open(NextLine next_line) {
  std::unique_ptr<ExportReader> reader(new ExportReader(std::move(next_line)));
  EVERFOLD_RETURN_IF_ERROR(reader->TakeHeader());
  return reader;
}

absl::StatusOr<bool> ExportReader::Next() {
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, ReadLine());
    if (!found) {
      return Invalid(absl::StrFormat("the file ends after %d commits, without its end line: it was cut", commits_));
    }
    EVERFOLD_ASSIGN_OR_RETURN(const bool at_end, TakeLine());
    if (at_end) return false;
    if (line_.has_commit()) return true;
  }
}

absl::StatusOr<bool> ExportReader::ReadLine() {
  ++line_number_;
  const absl::StatusOr<bool> found = next_line_(text_);
  if (!found.ok()) return AtLine(line_number_, found.status());
  if (*found) EVERFOLD_RETURN_IF_ERROR(AtLine(line_number_, json_.Read(text_, line_)));
  return found;
}

absl::Status ExportReader::TakeHeader() {
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, ReadLine());
  if (!found) return Invalid("the file is empty");
  if (!line_.has_header()) return Invalid("an export begins with its header");
  header_ = line_.header();
  if (header_.format_version() == kExportFormatVersion) return absl::OkStatus();
  return AtLine(line_number_, Error(absl::StatusCode::kInvalidArgument, reason::kFormatUnknown,
                                    absl::StrFormat("format version %d is not known to this program, which reads %d",
                                                    header_.format_version(), kExportFormatVersion)));
}

// True at the end.
absl::StatusOr<bool> ExportReader::TakeLine() {
  switch (line_.line_case()) {
    case v1::ExportLine::kDescriptors:
      EVERFOLD_RETURN_IF_ERROR(TakeDescriptors());
      return false;
    case v1::ExportLine::kCommit:
      EVERFOLD_RETURN_IF_ERROR(TakeCommit());
      return false;
    case v1::ExportLine::kEnd:
      EVERFOLD_RETURN_IF_ERROR(TakeEnd());
      return true;
    case v1::ExportLine::kHeader:
      return Invalid("a second header");
    case v1::ExportLine::LINE_NOT_SET:
      break;
  }
  return Invalid("the line says nothing");
}

absl::Status ExportReader::TakeDescriptors() const {
  if (commits_ > 0) return Invalid("descriptors stand before all commits");
  google::protobuf::FileDescriptorSet set;
  if (set.ParseFromString(line_.descriptors().file_descriptor_set())) return absl::OkStatus();
  return Invalid("file_descriptor_set is no serialized google.protobuf.FileDescriptorSet");
}

absl::Status ExportReader::TakeCommit() {
  const v1::ExportedCommit& commit = line_.commit();
  if (commit.sequence() != commits_ + 1) {
    return Invalid(absl::StrFormat("commit %d stands where commit %d has to", commit.sequence(), commits_ + 1));
  }
  const absl::Time recorded_at = TimeOf(commit.recorded_at());
  if (recorded_at < recorded_at_) {
    return Invalid(absl::StrFormat("commit %d was recorded before the one before it", commit.sequence()));
  }
  recorded_at_ = recorded_at;
  ++commits_;
  for (const v1::ExportedStream& stream : commit.streams()) {
    events_ += static_cast<std::uint64_t>(stream.events_size()) + stream.erased_events();
  }
  return absl::OkStatus();
}

absl::Status ExportReader::TakeEnd() {
  const v1::ExportEnd& end = line_.end();
  if (end.commits() != commits_ || end.events() != events_) {
    return Invalid(absl::StrFormat("the end counts %d commits with %d events, but there are %d with %d", end.commits(),
                                   end.events(), commits_, events_));
  }
  if (header_.last_sequence() != 0 && header_.last_sequence() != commits_) {
    return Invalid(
        absl::StrFormat("the header tells of %d commits, but there are %d", header_.last_sequence(), commits_));
  }
  return CheckNothingFollows();
}

absl::Status ExportReader::CheckNothingFollows() {
  ++line_number_;
  const absl::StatusOr<bool> found = next_line_(text_);
  if (!found.ok()) return AtLine(line_number_, found.status());
  return *found ? Invalid("something stands behind the end line") : absl::OkStatus();
}

absl::Status ExportReader::Invalid(const std::string& what) const {
  return AtLine(line_number_, Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, what));
}

}  // namespace everfold
