#include "everfold/projection/ahead_takeover.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/read_model_file.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

// The program that has built it is often just ending, because the application that it has asked has: it writes what it
// holds to the disk before it lets go.
constexpr absl::Duration kWaitForBuilder = absl::Seconds(5);

}  // namespace

absl::StatusOr<bool> AheadTakeover::TakeAs(std::uint32_t ReadModelVersions::*as) {
  if (!AheadFile::IsThere(files_, manifest_.folder())) return false;
  const auto ahead = AheadFile::Claim(files_, manifest_.folder(), kWaitForBuilder);
  if (!ahead.ok()) {
    Tell(LogLevel::kWarning, "is left as it is", ahead.status());
    return false;
  }
  const absl::StatusOr<Checkpoint> fits = (*ahead)->CheckFits(type_, head_);
  const absl::Status taken = fits.ok() ? CheckIsAhead(*fits, as) : fits.status();
  if (taken.ok()) return Take(**ahead, *fits, as);
  Refuse(**ahead, taken);
  return false;
}

// A version that is being built, and has come as far, goes on; the one before is gone back to.
absl::Status AheadTakeover::CheckIsAhead(const Checkpoint& checkpoint, std::uint32_t ReadModelVersions::*as) const {
  if (as != &ReadModelVersions::building) return absl::OkStatus();
  const ReadModelVersions& versions = manifest_.versions();
  EVERFOLD_RETURN_IF_ERROR(CheckIsAheadOf(versions.building, "which is being built", checkpoint));
  if (!may_go_back_) return absl::OkStatus();
  return CheckIsAheadOf(versions.previous, "the version before, which this code has built", checkpoint);
}

// One of other code, or that cannot be opened, does not count; 0: there is none.
absl::Status AheadTakeover::CheckIsAheadOf(std::uint32_t version, const char* what,
                                           const Checkpoint& checkpoint) const {
  const std::string path = manifest_.PathOf(version);
  if (version == 0 || !files_.Exists(path)) return absl::OkStatus();
  const Checkpoint beginning{.epoch = head_.epoch, .offsets = std::vector<Offset>(head_.offsets.size())};
  const auto file = ReadModelFile::Open(path, type_, beginning, ReadModelFile::Indexes::kWhenComplete);
  if (!file.ok() || (*file)->fit() != ReadModelFile::Fit::kCurrent) return absl::OkStatus();
  const std::uint64_t events = EventsBefore((*file)->checkpoint());
  if (events < EventsBefore(checkpoint)) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
               absl::StrFormat("%s, %s, has come at least as far: %d events, and this one %d", path, what, events,
                               EventsBefore(checkpoint)));
}

// Named first: a version without a file is begun anew, and the next start takes the file over after all; a file without
// a name would be deleted.
absl::StatusOr<bool> AheadTakeover::Take(AheadFile& ahead, const Checkpoint& checkpoint,
                                         std::uint32_t ReadModelVersions::*as) {
  ReadModelVersions versions = manifest_.versions();
  const std::uint32_t version = versions.next++;
  versions.*as = version;
  if (as == &ReadModelVersions::building) versions.held = false;
  EVERFOLD_RETURN_IF_ERROR(manifest_.Save(versions));
  if (const absl::Status moved = ahead.MoveTo(manifest_.PathOf(version)); !moved.ok()) {
    Tell(LogLevel::kWarning, "was not taken over", moved);
    return false;
  }
  steps_.Tell(LogLevel::kInfo, "what was built ahead is taken over",
              {{"file", manifest_.PathOf(version)},
               {"events_behind", absl::StrFormat("%d", EventsBefore(head_) - EventsBefore(checkpoint))}});
  return true;
}

void AheadTakeover::Delete() {
  if (!AheadFile::IsThere(files_, manifest_.folder())) return;
  const auto ahead = AheadFile::Claim(files_, manifest_.folder(), absl::ZeroDuration());
  if (!ahead.ok()) return Tell(LogLevel::kWarning, "is left as it is", ahead.status());
  Refuse(**ahead, Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                        absl::StrFormat("%s was built by this code, and goes on",
                                        manifest_.PathOf(manifest_.versions().current))));
}

void AheadTakeover::Refuse(AheadFile& ahead, const absl::Status& why) {
  if (!AheadFile::IsOfNoUse(why)) return Tell(LogLevel::kWarning, "is left as it is", why);
  Tell(LogLevel::kInfo, "is deleted", why);
  const absl::Status deleted = ahead.Delete();
  if (!deleted.ok()) Tell(LogLevel::kWarning, "was not deleted", deleted);
}

void AheadTakeover::Tell(LogLevel level, const char* what, const absl::Status& why) const {
  steps_.Tell(level, absl::StrFormat("what was built ahead %s", what), {{"why", std::string(why.message())}});
}

}  // namespace everfold
