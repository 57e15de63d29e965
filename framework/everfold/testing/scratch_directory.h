// A directory of its own for a test, removed with everything in it.
#pragma once

#include <string>

namespace everfold::testing {

class ScratchDirectory {
 public:
  // Below $TMPDIR, or /tmp.
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace everfold::testing
