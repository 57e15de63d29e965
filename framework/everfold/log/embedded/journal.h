// The journal: a ring of files that are written over and over again. It makes groups durable, and holds them until they
// are sealed. A file has its full size, in zeros, before its first use, and keeps it: a sync then pays for the data
// alone, not for the file's metadata, and takes half the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/files/files.h"

namespace everfold {

struct JournalFile {
  std::string path;
  std::shared_ptr<File> file;
};

// A file in use: one turn of the ring.
struct JournalSegment {
  JournalFile file;
  std::uint64_t number = 0;  // of the turn; grows
  std::uint64_t used = 0;    // bytes
  GroupNumber last_group = 0;
};

struct JournalState {
  std::vector<JournalSegment> segments;  // in order; groups go on in the last one. Empty: none is in use
  std::vector<JournalFile> free;
  std::uint64_t last_number = 0;  // of all segments that ever were
  std::uint32_t files = 0;        // number that the next new one gets
};

// Makes a new file of the ring, in place of one that may be there, durable with its name.
absl::StatusOr<JournalFile> MakeJournalFile(Files& files, const std::string& path, std::size_t bytes);

// "<directory>/000007"
std::string JournalFilePath(const std::string& directory, std::uint32_t number);

// Where the next record goes. Threading: one thread.
class Journal {
 public:
  Journal(JournalState state, std::size_t file_bytes);

  struct Place {
    std::uint64_t segment = 0;
    std::uint64_t position = 0;
    std::shared_ptr<File> file;
  };

  // True if a record of so many bytes fits into the ring as it is.
  bool HasRoom(std::size_t bytes) const;
  // The place for the next group's record, whose bytes it takes. REQUIRES: HasRoom(bytes).
  Place Take(std::size_t bytes, GroupNumber group);

  // How many segments will not be written any more and hold only groups up to `durable`.
  std::size_t ClosedSegments(GroupNumber durable) const;
  // The groups up to this one are sealed: the segments that hold no later one are free again.
  void Free(GroupNumber sealed);
  void AddFree(JournalFile file);

  std::size_t free_files() const { return state_.free.size(); }
  std::size_t files() const { return state_.free.size() + state_.segments.size(); }
  std::uint32_t next_file() const { return state_.files; }

 private:
  bool FitsInto(const JournalSegment& segment, std::size_t bytes) const;

  JournalState state_;
  const std::size_t file_bytes_;
};

}  // namespace everfold
