#include "tests/bench/machine.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace everfold::bench {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(10);
constexpr absl::Duration kMostWaited = absl::Seconds(120);
constexpr int kSectorsWritten = 7;  // which number of a block device's stat, counted from 1
constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

std::int64_t NowNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::Duration CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

std::uint64_t BytesWritten() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "wchar:") return value;
  }
  return 0;
}

std::uint64_t BytesWrittenToDisk(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return 0;
  std::ifstream file(absl::StrFormat("/sys/dev/block/%d:%d/stat", major(info.st_dev), minor(info.st_dev)));
  std::uint64_t field = 0;
  for (int i = 0; i < kSectorsWritten; ++i) file >> field;
  return file ? field * kSectorBytes : 0;
}

std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

double MachineLoad() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

absl::Duration WaitUntilQuiet(absl::Duration quiet_for) {
  const std::int64_t begin = NowNanos();
  std::int64_t last_busy = begin;
  absl::Duration cpu = CpuTime();
  for (int quiet = 0; quiet * kLook < quiet_for && absl::Nanoseconds(NowNanos() - begin) < kMostWaited; ++quiet) {
    absl::SleepFor(kLook);
    const absl::Duration used = CpuTime() - cpu;
    cpu += used;
    if (used < kLook / 10) continue;
    quiet = -1;
    last_busy = NowNanos();
  }
  return absl::Nanoseconds(last_busy - begin);
}

}  // namespace everfold::bench
