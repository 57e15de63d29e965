// Copies of names, one behind the other, that stay where they are until all of them go together.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace everfold {

// Threading: one thread. Lifetime: of the copies until Clear.
class KeptNames {
 public:
  std::string_view Keep(std::string_view name);
  // The memory stays, for the next names.
  void Clear();
  std::size_t bytes() const { return bytes_; }  // of the names

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  std::vector<Block> blocks_;
  std::size_t filling_ = 0;  // number of the block
  std::size_t used_ = 0;     // of that block
  std::size_t bytes_ = 0;
};

}  // namespace everfold
