#include "everfold/app/host.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

// The directory itself, or, where it does not exist yet, the folder that it would be made in.
fs::path NearestExisting(const fs::path& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  std::error_code failed;
  while (!fs::exists(path, failed) && path.has_relative_path()) path = path.parent_path();
  return path;
}

absl::Status CheckWritable(const std::string& directory) {
  const fs::path existing = NearestExisting(directory);
  std::error_code failed;
  const bool is_directory = fs::is_directory(existing, failed);
  if (is_directory && ::access(existing.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "cannot keep data in %s: %s: %s; choose another directory with --data DIR, or have this one made writable",
      directory, existing.string(), is_directory ? std::strerror(errno) : "is not a directory"));
}

absl::Status CheckExists(const std::string& log_directory, const std::string& data_directory) {
  std::error_code failed;
  if (fs::is_directory(log_directory, failed)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("there is no store in %s; name its directory with --data DIR", data_directory));
}

int ThreadsFor(int wanted) {
  return wanted > 0 ? wanted : std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Open(const HostOptions& options) {
  EmbeddedLogOptions log{.directory = options.data_directory + "/log", .partitions = options.partitions};
  if (!options.create) EVERFOLD_RETURN_IF_ERROR(CheckExists(log.directory, options.data_directory));
  EVERFOLD_RETURN_IF_ERROR(CheckWritable(options.data_directory));
  std::unique_ptr<Host> host(new Host(options.data_directory, ThreadsFor(options.threads)));
  EVERFOLD_ASSIGN_OR_RETURN(host->log_, EmbeddedLog::Open(std::move(log), host->executor_, host->random_));
  return host;
}

EventStoreOptions Host::store_options() const {
  EventStoreOptions options;
  options.index.files = &PosixFiles();
  options.index.directory = data_directory_ + "/index";
  return options;
}

absl::Status Host::Close() {
  absl::Status status;
  Notification closed;
  log_->Close([&](absl::Status result) {
    status = std::move(result);
    closed.Notify();
  });
  closed.WaitForNotification();
  executor_.Join();
  return status;
}

absl::StatusOr<std::unique_ptr<Host>> OpenStopped(const std::string& data_directory) {
  absl::StatusOr<std::unique_ptr<Host>> host = Host::Open({.data_directory = data_directory, .create = false});
  if (ReasonOf(host.status()) != reason::kStoreLocked) return host;
  return WithMore(host.status(), "; stop it, or ask it with --address");
}

void WaitForClose(absl::AnyInvocable<void(Task)> close) {
  Notification closed;
  close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

}  // namespace everfold
