// The high-water mark: how far the store was known to be durable, kept apart from the journal, so that a journal that
// lost synced data cannot pass for one whose last write was torn. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/files/files.h"

namespace everfold {

// Two slots, written in turn, so that one is whole whenever the power fails. Threading: one thread.
class HighWaterFile {
 public:
  // A new file with the mark at zero, durable but for the directory's entry.
  static absl::StatusOr<std::unique_ptr<HighWaterFile>> Create(Files& files, const std::string& path,
                                                               const Epoch& epoch);
  // NOT_FOUND if there is none; DATA_LOSS if neither slot is whole, or the mark is of another epoch.
  static absl::StatusOr<std::unique_ptr<HighWaterFile>> Open(Files& files, const std::string& path,
                                                             const Epoch& epoch);

  // The highest group that a slot marks, of whatever store; 0 without a whole slot.
  static absl::StatusOr<GroupNumber> HighestMark(Files& files, const std::string& path);

  const GroupLink& mark() const { return mark_; }
  // Durable when it returns. REQUIRES: the group is durable in the journal.
  absl::Status Write(const GroupLink& mark);

 private:
  HighWaterFile(std::unique_ptr<File> file, Epoch epoch) : file_(std::move(file)), epoch_(std::move(epoch)) {}
  absl::Status Load();

  const std::unique_ptr<File> file_;
  const Epoch epoch_;
  std::uint64_t turn_ = 0;  // counts the writes
  GroupLink mark_;
};

}  // namespace everfold
