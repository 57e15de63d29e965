#include "tests/unit/store/copied_store.h"

#include <gtest/gtest.h>

#include "everfold/base/mutex.h"

namespace everfold {
namespace {

constexpr int kStreams = 40;

EmbeddedLogOptions SmallLog(const std::string& directory) {
  EmbeddedLogOptions options;
  options.directory = directory;
  options.partitions = std::filesystem::exists(directory) ? 0 : 4;
  options.reserved_bytes = 0;
  options.journal_file_bytes = 256 << 10;
  options.max_journal_files = 6;
  options.seal_files = 2;
  return options;
}

AppendRequest RequestOf(int number) {
  AppendRequest request;
  request.command = {.type = "test.v1.Write", .id = "c" + std::to_string(number), .fingerprint = "f"};
  for (int i = 0; i <= number % 3; ++i) {
    NewEvent event;
    event.type = "test.v1.Written";
    event.payload = "payload " + std::to_string(number);
    event.tags = {"color:" + std::to_string(number % 7)};
    const std::string id = "s" + std::to_string((number * 7 + i * 13) % kStreams);
    request.streams.push_back({.stream = {"", "page", id}, .events = {event}});
  }
  return request;
}

}  // namespace

CopiedStore::CopiedStore(const std::filesystem::path& directory) {
  auto log = EmbeddedLog::Open(SmallLog((directory / "log").string()), executor_, random_);
  status_ = log.status();
  if (!status_.ok()) return;
  log_ = *std::move(log);
  EventStoreOptions options;
  options.index = {.files = &PosixFiles(), .directory = (directory / "index").string()};
  options.max_group_bytes = 64 << 10;  // a group fits into a file of the small journal
  options.on_index_began_anew = [this](const std::string& why) { index_began_anew_ = why; };
  auto store = EventStore::Open(options, *log_, executor_, clock_, random_);
  status_ = store.status();
  if (status_.ok()) store_ = *std::move(store);
}

CopiedStore::~CopiedStore() { Close(); }

void CopiedStore::Close() {
  if (store_ != nullptr) {
    Notification closed;
    store_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }
  if (log_ != nullptr) {
    Notification closed;
    log_->Close([&closed](absl::Status) { closed.Notify(); });
    closed.WaitForNotification();
  }
  executor_.Join();
  store_ = nullptr;
  log_ = nullptr;
}

void CopiedStore::Append(int commits) {
  AppendAround(commits, [] {});
}

void CopiedStore::AppendAround(int commits, const std::function<void()>& then) {
  Mutex mutex;
  int left = commits;
  for (int i = 0; i < commits; ++i) {
    const int number = appended_++;
    AppendRequest request = RequestOf(number);
    std::vector<std::string> streams;
    for (const StreamAppend& stream : request.streams) streams.push_back(stream.stream.id);
    store_->Append(std::move(request), [this, &mutex, &left, streams, number](absl::StatusOr<AppendResult> result) {
      EXPECT_TRUE(result.ok()) << result.status();
      MutexLock lock(&mutex);
      for (std::size_t k = 0; result.ok() && k < streams.size(); ++k) {
        std::vector<std::string>& stream = ledger_[streams[k]];
        const std::size_t version = result->streams[k].version.value();
        if (stream.size() < version) stream.resize(version);
        stream[version - 1] = "payload " + std::to_string(number);
      }
      --left;
    });
  }
  then();
  MutexLock lock(&mutex);
  const auto none_left = [&left] { return left == 0; };
  mutex.Await(absl::Condition(&none_left));
}

absl::Status CopiedStore::SealAll() {
  Notification done;
  absl::Status status;
  log_->SealAll([&](absl::Status result) {
    status = std::move(result);
    done.Notify();
  });
  done.WaitForNotification();
  return status;
}

absl::StatusOr<MadeBackup> CopiedStore::Backup(const std::string& directory) {
  Notification done;
  absl::StatusOr<MadeBackup> made;
  log_->Backup({.directory = directory, .made_at = absl::FromUnixSeconds(1'700'000'000)},
               [&](absl::StatusOr<MadeBackup> result) {
                 made = std::move(result);
                 done.Notify();
               });
  done.WaitForNotification();
  return made;
}

absl::Status CopiedStore::Verify() {
  const auto report = store_->Verify({});
  return report.ok() ? report->status() : report.status();
}

CopiedStore::Ledger CopiedStore::Read(const Ledger& streams) const {
  Ledger read;
  for (const auto& [id, payloads] : streams) {
    const auto visit = [&, &id = id](const RecordedEvent& event) {
      read[id].emplace_back(event.event.payload);
      return absl::OkStatus();
    };
    EXPECT_EQ(store_->ReadStream({"", "page", id}, {}, visit), absl::OkStatus());
  }
  return read;
}

}  // namespace everfold
