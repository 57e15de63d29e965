#include "everfold/base/counted.h"

namespace everfold {

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string Counted(std::uint64_t number, const char* one, const char* many) {
  std::string text = Grouped(number) + " ";
  if (number == 1) return text + one;
  return many != nullptr ? text + many : text + one + "s";
}

}  // namespace everfold
