// Files that are written over and over: full of zeros and synced before their first use, so that a sync pays for the
// data alone. What a bare journal would write to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace everfold::bench {

// Threading: one thread.
class RingFiles {
 public:
  static constexpr std::size_t kFiles = 4;
  static constexpr std::size_t kFileBytes = 64 << 20;

  // Made in `directory`, which exists, in place of what is there.
  static absl::StatusOr<std::unique_ptr<RingFiles>> Make(const std::string& directory);
  ~RingFiles();
  RingFiles(const RingFiles&) = delete;
  RingFiles& operator=(const RingFiles&) = delete;

  // Behind what was written last, durably when it returns. REQUIRES: no more than kFileBytes.
  absl::Status WriteAndSync(std::string_view bytes);

 private:
  RingFiles() = default;

  std::vector<int> files_;
  std::size_t current_ = 0;
  std::size_t position_ = 0;
};

}  // namespace everfold::bench
