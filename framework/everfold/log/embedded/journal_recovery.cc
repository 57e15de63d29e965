#include "everfold/log/embedded/journal_recovery.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

// What stands in one file.
struct FileContent {
  JournalFile file;
  std::string bytes;
  std::vector<std::pair<std::uint64_t, JournalRecord>> records;  // by position; views into `bytes`
};

// Every whole record, wherever it stands: behind a damaged one the next is found at its alignment.
void FindRecords(FileContent& content, JournalKey key) {
  std::uint64_t position = 0;
  while (position < content.bytes.size()) {
    std::optional<JournalRecord> record = DecodeJournalRecord(content.bytes, position, key);
    const std::size_t step = record.has_value() ? record->bytes : kJournalAlignment;
    if (record.has_value()) content.records.emplace_back(position, *std::move(record));
    position += step;
  }
}

// Reads the files one by one, as they may be many and large, and keeps of each what may be part of the history.
class JournalRecovery {
 public:
  JournalRecovery(Files& files, const std::string& directory, const GroupLink& sealed, JournalKey key)
      : files_(files), directory_(directory), sealed_(sealed), key_(key) {
    recovered_.last = sealed;
  }

  absl::StatusOr<RecoveredJournal> Run() {
    EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
    for (const std::string& name : names) EVERFOLD_RETURN_IF_ERROR(ReadFile(name));
    Follow();
    CollectState();
    return std::move(recovered_);
  }

 private:
  // A record that is not sealed, with its own copy of the chunks.
  struct Candidate {
    std::uint64_t segment = 0;
    GroupNumber durable_group = 0;
    std::uint64_t previous = 0;
    std::uint64_t end = 0;  // of the record in the file
    std::size_t file = 0;   // index in found_
    RecoveredGroup group;
  };
  struct FoundFile {
    JournalFile file;
    bool used = false;
    JournalSegment segment;
  };

  absl::Status ReadFile(const std::string& name) {
    std::uint32_t number = 0;
    if (!absl::SimpleAtoi(name, &number)) return absl::OkStatus();  // not of the ring
    recovered_.state.files = std::max(recovered_.state.files, number + 1);
    FileContent content{.file = {directory_ + "/" + name, nullptr}, .bytes = {}, .records = {}};
    EVERFOLD_ASSIGN_OR_RETURN(content.file.file, files_.Open(content.file.path));
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t size, content.file.file->Size());
    EVERFOLD_ASSIGN_OR_RETURN(content.bytes, content.file.file->ReadAt(0, size));
    FindRecords(content, key_);
    for (const auto& [position, record] : content.records) Keep(content, position, record);
    found_.push_back({.file = content.file, .used = false, .segment = {.file = content.file}});
    return absl::OkStatus();
  }

  void Keep(const FileContent& content, std::uint64_t position, const JournalRecord& record) {
    recovered_.state.last_number = std::max(recovered_.state.last_number, record.header.segment);
    if (record.header.group <= sealed_.group) return;
    Candidate candidate{.segment = record.header.segment,
                        .durable_group = record.header.durable_group,
                        .previous = record.header.previous,
                        .end = position + record.bytes,
                        .file = found_.size(),
                        .group = {record.link, {}, content.file, position, record.bytes}};
    for (const std::string_view chunk : record.chunks) candidate.group.chunks.emplace_back(chunk);
    candidates_.emplace(record.header.group, std::move(candidate));
  }

  // From the sealed group on, each next one is the candidate that links to the one before. There can be more than one
  // of a number: a group that was never durable may have been left behind by the one that took its number.
  void Follow() {
    while (true) {
      const auto [begin, end] = candidates_.equal_range(recovered_.last.group + 1);
      const auto next = std::find_if(
          begin, end, [this](const auto& entry) { return entry.second.previous == recovered_.last.checksum; });
      if (next == end) break;
      Accept(std::move(next->second));
    }
    for (const auto& [group, candidate] : candidates_) {
      if (group > recovered_.last.group) {
        recovered_.claimed_durable = std::max(recovered_.claimed_durable, candidate.durable_group);
      }
    }
  }

  void Accept(Candidate candidate) {
    FoundFile& found = found_[candidate.file];
    found.used = true;
    found.segment.number = candidate.segment;
    found.segment.used = candidate.end;
    found.segment.last_group = candidate.group.link.group;
    recovered_.last = candidate.group.link;
    recovered_.groups.push_back(std::move(candidate.group));
  }

  void CollectState() {
    JournalState& state = recovered_.state;
    for (FoundFile& found : found_) {
      if (found.used) {
        state.segments.push_back(std::move(found.segment));
      } else {
        state.free.push_back(std::move(found.file));
      }
    }
    std::sort(state.segments.begin(), state.segments.end(),
              [](const JournalSegment& a, const JournalSegment& b) { return a.last_group < b.last_group; });
  }

  Files& files_;
  const std::string directory_;
  const GroupLink sealed_;
  const JournalKey key_;
  std::vector<FoundFile> found_;
  std::multimap<GroupNumber, Candidate> candidates_;
  RecoveredJournal recovered_;
};

}  // namespace

absl::StatusOr<RecoveredJournal> RecoverJournal(Files& files, const std::string& directory, const GroupLink& sealed,
                                                JournalKey key) {
  return JournalRecovery(files, directory, sealed, key).Run();
}

absl::StatusOr<bool> HoldsJournalRecords(Files& files, const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.Open(directory + "/" + name));
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t size, file->Size());
    EVERFOLD_ASSIGN_OR_RETURN(const std::string begin,
                              file->ReadAt(0, std::min<std::uint64_t>(size, kJournalRecordHeaderBytes)));
    if (HasJournalRecords(begin)) return true;
  }
  return false;
}

}  // namespace everfold
