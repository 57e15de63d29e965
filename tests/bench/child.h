// The benchmark's other processes: the same program, started with a verb that only it uses.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace everfold::bench {

// Threading: one thread. The destructor kills the process, if it still runs, and waits for it.
class Child {
 public:
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::string& verb, const std::string& directory);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line that it prints. An error if there is none: it has ended.
  absl::StatusOr<std::string> ReadLine();
  // SIGKILL, and waits until it is gone.
  void Kill();

 private:
  Child(pid_t pid, FILE* output) : pid_(pid), output_(output) {}

  pid_t pid_;
  FILE* const output_;
};

inline constexpr char kAppendVerb[] = "append-until-killed";
inline constexpr char kOpenVerb[] = "time-open";

// What they do. Each prints to stdout.
//   appends, and prints "EVENTS" that are durable over and over; returns only on an error
absl::Status AppendUntilKilled(const std::string& directory);
//   opens the store, prints "LOG_SECONDS STORE_SECONDS EVENTS", and is gone without closing it
absl::Status TimeOpen(const std::string& directory);

}  // namespace everfold::bench
