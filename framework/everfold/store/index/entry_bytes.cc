#include "everfold/store/index/entry_bytes.h"

#include <limits>
#include <string_view>

namespace everfold {
namespace {

constexpr int kNumberBytes = 8;

int SignificantBytes(std::uint64_t number) {
  int count = 0;
  for (; number != 0; number >>= 8) ++count;
  return count;
}

}  // namespace

void AppendFixed(std::string& out, std::uint64_t number, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

std::uint64_t TakeFixed(ByteReader& in, int width) {
  std::uint64_t number = 0;
  for (const char byte : in.Bytes(static_cast<std::uint64_t>(width))) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}

void AppendDescending(std::string& out, std::uint64_t number) {
  const int count = SignificantBytes(number);
  out.push_back(static_cast<char>(~count));
  AppendFixed(out, ~number, count);
}

std::uint64_t TakeDescending(ByteReader& in) {
  const int count = ~in.Byte() & 0xff;
  if (count > kNumberBytes) in.Bytes(std::numeric_limits<std::uint64_t>::max());  // no number is that long
  const std::uint64_t complement = count == 0 ? 0 : TakeFixed(in, count);
  if (count == 0 || in.failed()) return 0;
  return ~complement & ~std::uint64_t{0} >> (8 * (kNumberBytes - count));
}

}  // namespace everfold
