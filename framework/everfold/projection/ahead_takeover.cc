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

absl::StatusOr<bool> AheadTakeover::TakeAs(std::uint32_t ReadModelVersions::*as) {
  if (!AheadFile::IsThere(files_, manifest_.folder())) return false;
  const auto ahead = AheadFile::Claim(files_, manifest_.folder());
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

// A version that is being built, and has come as far, goes on.
absl::Status AheadTakeover::CheckIsAhead(const Checkpoint& checkpoint, std::uint32_t ReadModelVersions::*as) const {
  const std::uint32_t building = manifest_.versions().building;
  if (as != &ReadModelVersions::building || building == 0 || !files_.Exists(manifest_.PathOf(building))) {
    return absl::OkStatus();
  }
  const Checkpoint beginning{.epoch = head_.epoch, .offsets = std::vector<Offset>(head_.offsets.size())};
  const auto file = ReadModelFile::Open(manifest_.PathOf(building), type_, beginning);
  if (!file.ok() || (*file)->fit() != ReadModelFile::Fit::kCurrent) return absl::OkStatus();
  const std::uint64_t events = EventsBefore((*file)->checkpoint());
  if (events < EventsBefore(checkpoint)) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
               absl::StrFormat("%s, which is being built, has come further: %d events, and this one %d",
                               manifest_.PathOf(building), events, EventsBefore(checkpoint)));
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
  const auto ahead = AheadFile::Claim(files_, manifest_.folder());
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
