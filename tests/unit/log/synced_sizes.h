// What a loss of power would leave of this process's files: the test program has fdatasync and fsync of its own, which
// note how long a file was when it was synced, and then sync it.
#pragma once

#include <filesystem>

namespace everfold {

// A copy of the directory in which every table file, manifest and write-ahead log of RocksDB is as long as it was when
// it was last synced; one that never was is empty.
void CopyAfterPowerLoss(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace everfold
