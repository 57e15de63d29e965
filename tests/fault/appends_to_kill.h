// What the program append_with_ledger and the test that kills it agree on: the store, each append by its number, and
// the lines in which the program tells what it does, so that the ledger is kept outside of it.
//
//   opening                     before it opens the store, and `open` after it
//   sent 17                     before append 17 is asked for, for the first time
//   again 17                    before append 17, which an earlier process sent, is asked for again, by its command id
//   done 17 23 repeated 5 8     append 17 is commit 23, its streams are at versions 5 and 8; `first` in place of
//                               `repeated` if it was not known before
//   refused 17 10 STALE why     append 17 was answered with status code 10, the reason STALE, and the words "why"
//   wrong words                 what the program itself sees to be wrong; the only line of the last kind
//
// A line is one write of less than PIPE_BUF bytes: it is told whole, or not at all.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/store/append.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Of journal files so small that sealing never rests. With every fourth seed the log is paranoid.
EmbeddedLogOptions LogToKill(const std::string& directory, std::uint64_t seed);
// With an index that is written all the time.
EventStoreOptions StoreToKill(const std::string& directory);

// Append `number` of a store of this seed, without payloads. Half of them follow each other in streams of their own,
// each expecting the version that the one before makes; the others go to a few streams that they share.
AppendRequest AppendToKill(std::uint64_t seed, std::uint64_t number);

std::string DoneLine(std::uint64_t number, const AppendResult& result);
std::string RefusedLine(std::uint64_t number, const absl::Status& status);

// The answer to `request` that a line tells. INVALID_ARGUMENT if it is none.
struct ToldAnswer {
  std::uint64_t number;
  absl::StatusOr<AppendResult> answer;
};
bool IsAnswer(const std::string& line);
// REQUIRES: IsAnswer. `seed`: whose appends they are.
ToldAnswer ParseAnswer(const std::string& line, std::uint64_t seed);

}  // namespace everfold
