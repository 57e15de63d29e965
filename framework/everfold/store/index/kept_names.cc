#include "everfold/store/index/kept_names.h"

#include <algorithm>
#include <cstring>

namespace everfold {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

}  // namespace

std::string_view KeptNames::Keep(std::string_view name) {
  while (filling_ < blocks_.size() && blocks_[filling_].size - used_ < name.size()) {
    ++filling_;
    used_ = 0;
  }
  if (filling_ == blocks_.size()) {
    const std::size_t size = std::max(kBlockBytes, name.size());
    blocks_.push_back({std::make_unique<char[]>(size), size});
  }
  char* const kept = blocks_[filling_].bytes.get() + used_;
  std::memcpy(kept, name.data(), name.size());
  used_ += name.size();
  bytes_ += name.size();
  return {kept, name.size()};
}

void KeptNames::Clear() {
  filling_ = 0;
  used_ = 0;
  bytes_ = 0;
}

}  // namespace everfold
