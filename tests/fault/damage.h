// Ways to damage a file of a store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "everfold/testing/faulty_disk.h"
#include "tests/fault/damaged_store.h"

namespace everfold {

struct Damage {
  std::string what;  // "flip bit 3 of byte 17"
  std::function<void(FaultyDisk&)> apply;
};

// `foreign`: another store, whose files of the same kind may stand in this one's place. Flips of a bit are at `flips`
// positions, spread over the file, or at every byte of a small one.
std::vector<Damage> DamagesTo(const std::string& path, const IntactStore& store, const IntactStore& foreign,
                              std::size_t flips);

}  // namespace everfold
