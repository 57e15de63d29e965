// The lines in which the program contend_for_streams tells what it does, so that the history is kept outside of it. A
// line is one write of less than PIPE_BUF bytes: it is told whole, or not at all.
//
//   opening, open              before and after it opens the store
//   sent ...                   before an append is asked for
//   answered ...               what it was told
//   read ..., pulled ...       after it
//   wrong words                what the program itself sees to be wrong
//   finished                   there is nothing left to do
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/linearizability/history.h"

namespace everfold {

// What fits into a line.
inline constexpr std::size_t kMaxEventsARead = 100;
inline constexpr std::size_t kMaxEventsAPull = 60;

std::string SentLine(const AppendCall& append);
std::string AnsweredLine(const AppendCall& append);
std::string ReadLine(const ReadCall& read);
// `checkpoint`: the subscriber's, after it.
std::string PulledLine(const PullCall& pull, const std::vector<std::uint64_t>& checkpoint);

// Puts a history together from the lines of one process after the other.
class ToldHistory {
 public:
  explicit ToldHistory(std::uint32_t subscribers) : checkpoints_(subscribers) {}

  // False if it is none of the last four lines.
  bool Note(const std::string& line);
  // The process has died: nothing that it has not answered by now will take effect later.
  void OnDeath(std::int64_t now);

  const History& history() const { return history_; }
  // Appends that were answered, or never will be, and reads.
  std::uint64_t calls() const { return history_.appends.size() - outstanding_.size() + history_.reads.size(); }
  // For the next append; greater than all before.
  AppendNumber next_append() const { return next_append_; }
  const std::vector<std::uint64_t>& CheckpointOf(std::uint32_t subscriber) const { return checkpoints_[subscriber]; }

 private:
  void OnSent(AppendCall append);

  History history_;
  std::unordered_map<AppendNumber, std::size_t> outstanding_;
  AppendNumber next_append_ = 1;
  std::vector<std::vector<std::uint64_t>> checkpoints_;
};

}  // namespace everfold
