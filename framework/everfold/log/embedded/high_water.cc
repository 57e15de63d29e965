#include "everfold/log/embedded/high_water.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/log/embedded/storage_error.h"

namespace everfold {
namespace {

constexpr std::string_view kMagic = "EVHW";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kSlotBytes = 56;
constexpr std::size_t kSlotDistance = 4096;  // apart by more than one write of a disk could tear

struct Slot {
  std::uint64_t turn = 0;
  std::string epoch;
  GroupLink mark;
};

// Magic (4), format version (4), turn (8), epoch (16), group (8), its checksum (8), XXH3-64 of all that (8).
std::string Encode(const Slot& slot) {
  std::string bytes(kMagic);
  const auto put = [&bytes](auto value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  put(kFormatVersion);
  put(slot.turn);
  bytes += slot.epoch;
  put(slot.mark.group);
  put(slot.mark.checksum);
  put(XXH3_64bits(bytes.data(), bytes.size()));
  return bytes;
}

std::optional<Slot> Decode(std::string_view bytes) {
  if (bytes.size() != kSlotBytes) return std::nullopt;
  const auto get = [&bytes](std::size_t at) {
    std::uint64_t value;
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
  };
  Slot slot{.turn = get(8), .epoch = std::string(bytes.substr(16, kEpochBytes)), .mark = {get(32), get(40)}};
  if (Encode(slot) != bytes) return std::nullopt;
  return slot;
}

absl::StatusOr<std::optional<Slot>> LatestSlot(const File& file) {
  std::optional<Slot> latest;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSlotDistance}}) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string bytes, file.ReadAt(at, kSlotBytes));
    std::optional<Slot> slot = Decode(bytes);
    if (slot.has_value() && (!latest.has_value() || slot->turn > latest->turn)) latest = std::move(slot);
  }
  return latest;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HighWaterFile>> HighWaterFile::Create(Files& files, const std::string& path,
                                                                     const Epoch& epoch) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Create(path));
  std::unique_ptr<HighWaterFile> created(new HighWaterFile(std::move(file), epoch));
  // Both slots, so that the file has its final size before it matters.
  EVERFOLD_RETURN_IF_ERROR(created->Write({}));
  EVERFOLD_RETURN_IF_ERROR(created->Write({}));
  return created;
}

absl::StatusOr<std::unique_ptr<HighWaterFile>> HighWaterFile::Open(Files& files, const std::string& path,
                                                                   const Epoch& epoch) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path));
  std::unique_ptr<HighWaterFile> opened(new HighWaterFile(std::move(file), epoch));
  EVERFOLD_RETURN_IF_ERROR(opened->Load());
  return opened;
}

absl::StatusOr<GroupNumber> HighWaterFile::HighestMark(Files& files, const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.Open(path));
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<Slot> latest, LatestSlot(*file));
  return latest.has_value() ? latest->mark.group : 0;
}

absl::Status HighWaterFile::Load() {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<Slot> latest, LatestSlot(*file_));
  if (!latest.has_value()) return DataLoss("the high-water file holds no whole mark");
  if (latest->epoch != epoch_.bytes) {
    return DataLoss(absl::StrFormat("the high-water file is of the store with epoch %s, this one has epoch %s",
                                    Epoch{latest->epoch}.ToString(), epoch_.ToString()));
  }
  turn_ = latest->turn;
  mark_ = latest->mark;
  return absl::OkStatus();
}

absl::Status HighWaterFile::Write(const GroupLink& mark) {
  ++turn_;
  const std::string bytes = Encode({turn_, epoch_.bytes, mark});
  EVERFOLD_RETURN_IF_ERROR(file_->WriteAt(turn_ % 2 * kSlotDistance, bytes));
  EVERFOLD_RETURN_IF_ERROR(file_->Sync());
  mark_ = mark;
  return absl::OkStatus();
}

}  // namespace everfold
