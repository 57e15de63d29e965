// What the process costs the machine, and how busy that is.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace everfold::bench {

// Nanoseconds of a clock that never steps.
std::int64_t NowNanos();

// Of this process, all threads, user and system.
absl::Duration CpuTime();
// Bytes that this process has handed to the system to be written. (What the system counts as written for a process,
// write_bytes, is no use: where the page cache has large folios, the first byte counts as all 2 MB of its folio.)
std::uint64_t BytesWritten();
// Bytes that the disk of this directory was told to write, by anybody; 0 if that cannot be told.
std::uint64_t BytesWrittenToDisk(const std::string& directory);
// Memory of this process that is in use now.
std::uint64_t ResidentBytes();
// Of the last minute.
double MachineLoad();

// The log merges files when it has been idle for some time: with so long a quiet, that is done, too.
inline constexpr absl::Duration kUntilMerged = absl::Seconds(4);

// Waits until the process has done next to nothing for a while, so that what one round leaves behind is not counted in
// the next. Returns how long it was still busy.
absl::Duration WaitUntilQuiet(absl::Duration quiet_for = absl::Milliseconds(150));

}  // namespace everfold::bench
