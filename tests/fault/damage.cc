#include "tests/fault/damage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/random.h"

namespace everfold {
namespace {

void Overwrite(FaultyDisk& disk, const std::string& path, const std::string& bytes) {
  auto file = disk.Create(path);
  EVERFOLD_CHECK(file.ok() && (*file)->WriteAt(0, bytes).ok() && (*file)->Sync().ok());
  EVERFOLD_CHECK(disk.SyncDirectory(path.substr(0, path.rfind('/'))).ok());
}

class Damages {
 public:
  Damages(const std::string& path, const IntactStore& store)
      : path_(path), store_(store), bytes_(ReadFile(*store.disk, path).value()), random_(bytes_.size()) {}

  void Flip(std::size_t flips) {
    const std::size_t step = std::max<std::size_t>(1, bytes_.size() / flips);
    for (std::size_t at = 0; at < bytes_.size(); at += step) {
      const std::size_t byte = std::min(bytes_.size() - 1, at + random_.Below(step));
      const auto bit = static_cast<unsigned>(random_.Below(8));
      Add(absl::StrFormat("flip bit %d of byte %d", bit, byte),
          [path = path_, byte, bit](FaultyDisk& disk) { disk.FlipBit(path, byte, bit); });
    }
  }
  void Truncate() {
    const std::size_t size = bytes_.size();
    const std::set<std::size_t> sizes = {0, 1, size / 4, size / 2, size * 3 / 4, size - size % 512, size - 1};
    for (const std::size_t left : sizes) {
      if (left >= size) continue;
      Add(absl::StrFormat("truncate %d to %d", size, left),
          [path = path_, left](FaultyDisk& disk) { disk.Truncate(path, left); });
    }
  }
  void Zero() {
    const std::size_t size = bytes_.size();
    const std::set<std::pair<std::size_t, std::size_t>> ranges = {{0, size},
                                                                  {0, size / 4},
                                                                  {size / 4, size / 2},
                                                                  {size / 2, size * 3 / 4},
                                                                  {size * 3 / 4, size},
                                                                  {0, size < 512 ? size : 512},
                                                                  {size < 64 ? 0 : size - 64, size}};
    for (const auto& [from, to] : ranges) ZeroRange(from, to);
  }
  void Lose() {
    Add("lose", [path = path_](FaultyDisk& disk) { disk.Lose(path); });
  }
  void Swap() {
    for (const auto& [other, kind] : store_.kinds) {
      if (other <= path_ || kind != store_.kinds.at(path_)) continue;
      if (ReadFile(*store_.disk, other).value() == bytes_) continue;
      Add("swap with " + other, [path = path_, other = other](FaultyDisk& disk) { disk.Swap(path, other); });
    }
  }
  void ReplaceByEarlier() {
    for (std::size_t i = 0; i < store_.earlier.size(); ++i) {
      if (!store_.earlier[i]->Exists(path_)) continue;
      Replace(absl::StrFormat("replace by copy %d", i + 1), ReadFile(*store_.earlier[i], path_).value());
    }
  }
  void ReplaceByForeign(const IntactStore& foreign) {
    for (const auto& [other, kind] : foreign.kinds) {
      if (kind != store_.kinds.at(path_)) continue;
      Replace("replace by that of another store", ReadFile(*foreign.disk, other).value());
      return;
    }
  }

  std::vector<Damage> Take() { return std::move(damages_); }

 private:
  void Add(std::string what, std::function<void(FaultyDisk&)> apply) {
    damages_.push_back({std::move(what), std::move(apply)});
  }
  void ZeroRange(std::size_t from, std::size_t to) {
    if (bytes_.substr(from, to - from).find_first_not_of('\0') == std::string::npos) return;  // is so already
    Add(absl::StrFormat("zero bytes %d to %d", from, to),
        [path = path_, from = from, to = to](FaultyDisk& disk) { disk.Zero(path, from, to); });
  }
  void Replace(std::string what, std::string bytes) {
    if (bytes == bytes_) return;
    Add(std::move(what), [path = path_, bytes = std::move(bytes)](FaultyDisk& disk) { Overwrite(disk, path, bytes); });
  }

  const std::string path_;
  const IntactStore& store_;
  const std::string bytes_;
  SeededRandom random_;
  std::vector<Damage> damages_;
};

}  // namespace

std::vector<Damage> DamagesTo(const std::string& path, const IntactStore& store, const IntactStore& foreign,
                              std::size_t flips) {
  Damages damages(path, store);
  damages.Flip(flips);
  damages.Truncate();
  damages.Zero();
  damages.Lose();
  damages.Swap();
  damages.ReplaceByEarlier();
  damages.ReplaceByForeign(foreign);
  return damages.Take();
}

}  // namespace everfold
