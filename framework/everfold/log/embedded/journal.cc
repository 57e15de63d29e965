#include "everfold/log/embedded/journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::size_t kZeroStepBytes = 1 << 20;

absl::Status FillWithZeros(File& file, std::size_t bytes) {
  const std::string zeros(std::min(bytes, kZeroStepBytes), '\0');
  for (std::size_t at = 0; at < bytes; at += zeros.size()) {
    const std::size_t step = std::min(zeros.size(), bytes - at);
    EVERFOLD_RETURN_IF_ERROR(file.WriteAt(at, std::string_view(zeros).substr(0, step)));
  }
  return file.Sync();
}

}  // namespace

std::string JournalFilePath(const std::string& directory, std::uint32_t number) {
  return absl::StrFormat("%s/%06d", directory, number);
}

absl::StatusOr<JournalFile> MakeJournalFile(Files& files, const std::string& path, std::size_t bytes) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Create(path));
  EVERFOLD_RETURN_IF_ERROR(FillWithZeros(*file, bytes));
  EVERFOLD_RETURN_IF_ERROR(files.SyncDirectory(path.substr(0, path.rfind('/'))));
  return JournalFile{path, std::move(file)};
}

Journal::Journal(JournalState state, std::size_t file_bytes) : state_(std::move(state)), file_bytes_(file_bytes) {}

bool Journal::FitsInto(const JournalSegment& segment, std::size_t bytes) const {
  return segment.used + bytes <= file_bytes_;
}

bool Journal::HasRoom(std::size_t bytes) const {
  const bool in_last = !state_.segments.empty() && FitsInto(state_.segments.back(), bytes);
  return in_last || (!state_.free.empty() && bytes <= file_bytes_);
}

Journal::Place Journal::Take(std::size_t bytes, GroupNumber group) {
  EVERFOLD_CHECK(HasRoom(bytes));
  if (state_.segments.empty() || !FitsInto(state_.segments.back(), bytes)) {
    state_.segments.push_back({.file = std::move(state_.free.back()), .number = ++state_.last_number});
    state_.free.pop_back();
  }
  JournalSegment& segment = state_.segments.back();
  const Place place{segment.number, segment.used, segment.file.file};
  segment.used += bytes;
  segment.last_group = group;
  return place;
}

std::size_t Journal::ClosedSegments(GroupNumber durable) const {
  std::size_t closed = 0;
  while (closed + 1 < state_.segments.size() && state_.segments[closed].last_group <= durable) ++closed;
  return closed;
}

void Journal::Free(GroupNumber sealed) {
  // The last one is being written.
  while (state_.segments.size() > 1 && state_.segments.front().last_group <= sealed) {
    state_.free.push_back(std::move(state_.segments.front().file));
    state_.segments.erase(state_.segments.begin());
  }
}

void Journal::AddFree(JournalFile file) {
  state_.free.push_back(std::move(file));
  ++state_.files;
}

}  // namespace everfold
