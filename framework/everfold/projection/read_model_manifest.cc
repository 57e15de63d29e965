#include "everfold/projection/read_model_manifest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/projection/spill_files.h"

namespace everfold {
namespace {

constexpr absl::string_view kTitle = "everfold-read-models ";
constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kFormatOfHeld = 2;

constexpr char kManifest[] = "MANIFEST";
constexpr char kDamaged[] = "MANIFEST.damaged";

absl::Status Damaged(const std::string& path) {
  return Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged, absl::StrFormat("%s is damaged", path));
}

std::string Written(const ReadModelVersions& versions) {
  std::string text = absl::StrFormat("%s%d\ncurrent %d\nprevious %d\nbuilding %d\nnext %d\npaused %d\n", kTitle,
                                     versions.held ? kFormatOfHeld : kFormat, versions.current, versions.previous,
                                     versions.building, versions.next, versions.paused ? 1 : 0);
  if (versions.held) absl::StrAppend(&text, "held 1\n");
  return absl::StrCat(text, "sha256 ", absl::BytesToHexString(Sha256(text)), "\n");
}

// The number behind the name, if the line is of that name.
bool ReadNumber(absl::string_view line, absl::string_view name, std::uint32_t& number) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  return words.size() == 2 && words[0] == name && absl::SimpleAtoi(words[1], &number);
}

absl::StatusOr<ReadModelVersions> Parse(absl::string_view text, const std::string& path) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  std::uint32_t format = 0;
  if (!ReadNumber(lines[0], kTitle.substr(0, kTitle.size() - 1), format)) return Damaged(path);
  if (format > kFormatOfHeld) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
                 absl::StrFormat("%s has format version %d, this program knows %d; run a newer one, or delete the "
                                 "folder to build its read models anew",
                                 path, format, kFormatOfHeld));
  }
  ReadModelVersions versions;
  std::uint32_t paused = 0;
  const bool complete = lines.size() >= 7 && ReadNumber(lines[1], "current", versions.current) &&
                        ReadNumber(lines[2], "previous", versions.previous) &&
                        ReadNumber(lines[3], "building", versions.building) &&
                        ReadNumber(lines[4], "next", versions.next) && ReadNumber(lines[5], "paused", paused);
  versions.paused = paused != 0;
  versions.held = format == kFormatOfHeld;
  // Only what this program would write is taken for undamaged.
  if (!complete || Written(versions) != text) return Damaged(path);
  return versions;
}

// The version in "<n>.db", "<n>.db-wal" and "<n>.db-shm"; 0 for any other name.
std::uint32_t VersionIn(absl::string_view name) {
  const std::size_t dot = name.find(".db");
  std::uint32_t version = 0;
  if (dot == absl::string_view::npos || !absl::SimpleAtoi(name.substr(0, dot), &version)) return 0;
  const absl::string_view ending = name.substr(dot);
  return ending == ".db" || ending == ".db-wal" || ending == ".db-shm" || ending == ".db-journal" ? version : 0;
}

}  // namespace

std::string ReadModelManifest::PathOf(std::uint32_t version) const {
  return absl::StrFormat("%s/%d.db", folder_, version);
}

absl::StatusOr<ReadModelManifest> ReadModelManifest::Read(Files& files, std::string folder) {
  ReadModelManifest manifest(files, std::move(folder));
  const std::string path = absl::StrCat(manifest.folder_, "/", kManifest);
  const absl::StatusOr<std::string> text = ReadFile(files, path);
  if (absl::IsNotFound(text.status())) return manifest;
  EVERFOLD_RETURN_IF_ERROR(text.status());
  EVERFOLD_ASSIGN_OR_RETURN(manifest.versions_, Parse(*text, path));
  return manifest;
}

absl::StatusOr<ReadModelManifest> ReadModelManifest::Load(Files& files, std::string folder) {
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(folder));
  ReadModelManifest manifest(files, folder);
  absl::StatusOr<ReadModelManifest> read = Read(files, folder);
  if (ReasonOf(read.status()) == reason::kReadModelDamaged) {
    EVERFOLD_RETURN_IF_ERROR(manifest.ReplaceDamaged(read.status()));
    return manifest;
  }
  EVERFOLD_ASSIGN_OR_RETURN(manifest, std::move(read));
  const std::string damaged = absl::StrCat(folder, "/", kDamaged);
  if (manifest.versions_.current == 0 && files.Exists(damaged)) manifest.damage_ = Damaged(damaged);
  EVERFOLD_RETURN_IF_ERROR(manifest.DeleteUnnamed());
  return manifest;
}

// Numbers of versions are not used again, so those of the databases that are there are taken.
absl::Status ReadModelManifest::ReplaceDamaged(const absl::Status& damage) {
  damage_ = damage;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_->List(folder_));
  ReadModelVersions versions;
  for (const std::string& name : names) versions.next = std::max(versions.next, VersionIn(name) + 1);
  EVERFOLD_ASSIGN_OR_RETURN(const std::string text, ReadFile(*files_, absl::StrCat(folder_, "/", kManifest)));
  EVERFOLD_RETURN_IF_ERROR(ReplaceFile(*files_, absl::StrCat(folder_, "/", kDamaged), text));
  return Save(versions);
}

absl::Status ReadModelManifest::Save(const ReadModelVersions& versions) {
  EVERFOLD_RETURN_IF_ERROR(ReplaceFile(*files_, absl::StrCat(folder_, "/", kManifest), Written(versions)));
  versions_ = versions;
  if (versions_.current != 0) damage_ = absl::OkStatus();
  DeleteUnnamed().IgnoreError();
  return absl::OkStatus();
}

absl::Status ReadModelManifest::DeleteUnnamed() {
  if (!damage_.ok()) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_->List(folder_));
  for (const std::string& name : names) {
    const std::uint32_t version = VersionIn(name);
    const bool named = version == versions_.current || version == versions_.previous || version == versions_.building;
    const bool is_left = name == kDamaged || absl::StartsWith(name, sqlite::kSpillPrefix);
    if ((version != 0 && !named) || is_left) EVERFOLD_RETURN_IF_ERROR(files_->Remove(folder_ + "/" + name));
  }
  return absl::OkStatus();
}

}  // namespace everfold
