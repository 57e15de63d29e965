#include "everfold/store/export/import_commits.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/store/export/commit_message.h"

namespace everfold {
namespace {

constexpr std::uint64_t kCommitsBetweenProgress = 1 << 10;

// What an append has to become.
struct Asked {
  std::uint64_t line = 0;
  std::size_t bytes = 0;  // of the line
  Sequence sequence;
  absl::Time recorded_at;
};

absl::Status CheckIsNotAhead(absl::Time recorded_at, absl::Time now) {
  const absl::Time latest = now + kMaxImportedAhead;
  if (recorded_at <= latest) return absl::OkStatus();
  const auto text = [](absl::Time time) { return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()); };
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("recorded_at may be at most %s ahead of the clock, which is until %s; it is %s",
                               absl::FormatDuration(kMaxImportedAhead), text(latest), text(recorded_at)),
               {{"limit", text(latest)}, {"actual", text(recorded_at)}});
}

// That the store says no to a commit is the file's fault.
absl::Status Refused(const absl::Status& status) {
  if (!absl::IsAborted(status) && !absl::IsPermissionDenied(status)) return status;
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, std::string(status.message()));
}

absl::Status CheckBecame(const Asked& asked, const absl::StatusOr<AppendResult>& result) {
  if (!result.ok()) return Refused(result.status());
  if (result->sequence == asked.sequence && result->recorded_at == asked.recorded_at) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat(
      "commit %d, of %s, became commit %d, of %s", asked.sequence.value(),
      absl::FormatTime(absl::RFC3339_full, asked.recorded_at, absl::UTCTimeZone()), result->sequence.value(),
      absl::FormatTime(absl::RFC3339_full, result->recorded_at, absl::UTCTimeZone())));
}

class Import {
 public:
  Import(ExportReader& reader, EventStore& store, const ImportOptions& options)
      : reader_(reader), store_(store), options_(options) {}

  absl::StatusOr<ImportCounts> Run() {
    const absl::Status read = AppendAll();
    WaitForAll();
    // An append that failed stands before whatever was read last.
    EVERFOLD_RETURN_IF_ERROR(failure());
    EVERFOLD_RETURN_IF_ERROR(read);
    TellProgress();
    return ImportCounts{reader_.commits(), reader_.events()};
  }

 private:
  absl::Status AppendAll() {
    while (failure().ok()) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, reader_.Next());
      if (!found) break;
      EVERFOLD_RETURN_IF_ERROR(AtLine(reader_.line_number(), AppendOne()));
      if (reader_.commits() % kCommitsBetweenProgress == 0) TellProgress();
    }
    return absl::OkStatus();
  }

  absl::Status AppendOne() {
    EVERFOLD_ASSIGN_OR_RETURN(AppendRequest request, TakeAppend(reader_.commit()));
    EVERFOLD_RETURN_IF_ERROR(CheckIsNotAhead(request.not_before, options_.now));
    const Asked asked{.line = reader_.line_number(),
                      .bytes = reader_.line_bytes(),
                      .sequence = Sequence(reader_.commits()),
                      .recorded_at = request.not_before};
    WaitForRoom(asked.bytes);
    store_.Append(std::move(request),
                  [this, asked](const absl::StatusOr<AppendResult>& result) { OnAppended(asked, result); });
    return absl::OkStatus();
  }

  void OnAppended(const Asked& asked, const absl::StatusOr<AppendResult>& result) {
    const absl::Status status = CheckBecame(asked, result);
    MutexLock lock(&mutex_);
    --commits_on_the_way_;
    bytes_on_the_way_ -= asked.bytes;
    if (status.ok() || (!failure_.ok() && failed_line_ < asked.line)) return;
    failed_line_ = asked.line;
    failure_ = AtLine(asked.line, status);
  }

  // One that is larger than there is room goes alone.
  void WaitForRoom(std::size_t bytes) {
    MutexLock lock(&mutex_);
    const auto has_room = [this, bytes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return commits_on_the_way_ == 0 || (commits_on_the_way_ < options_.max_commits_on_the_way &&
                                          bytes_on_the_way_ + bytes <= options_.max_bytes_on_the_way);
    };
    mutex_.Await(absl::Condition(&has_room));
    ++commits_on_the_way_;
    bytes_on_the_way_ += bytes;
  }

  void WaitForAll() {
    MutexLock lock(&mutex_);
    const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return commits_on_the_way_ == 0; };
    mutex_.Await(absl::Condition(&none));
  }

  absl::Status failure() const {
    MutexLock lock(&mutex_);
    return failure_;
  }

  void TellProgress() const {
    if (options_.on_progress) options_.on_progress({reader_.commits(), reader_.header().last_sequence()});
  }

  ExportReader& reader_;
  EventStore& store_;
  const ImportOptions& options_;
  mutable Mutex mutex_;
  std::size_t commits_on_the_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_on_the_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t failed_line_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // of the first line that failed
};

}  // namespace

absl::StatusOr<ImportCounts> ImportCommits(ExportReader& reader, EventStore& store, const ImportOptions& options) {
  return Import(reader, store, options).Run();
}

}  // namespace everfold
