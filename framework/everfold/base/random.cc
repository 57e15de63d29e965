#include "everfold/base/random.h"

#include <openssl/rand.h>

#include "everfold/base/check.h"

namespace everfold {

std::uint64_t RandomSource::Below(std::uint64_t bound) {
  EVERFOLD_CHECK(bound > 0);
  // Values beyond the largest multiple of `bound` are drawn again, so that no remainder is favoured.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = Next();
  while (value >= limit) value = Next();
  return value % bound;
}

std::string RandomSource::Bytes(std::size_t count) {
  std::string bytes;
  while (bytes.size() < count) {
    std::uint64_t value = Next();
    for (int i = 0; i < 8 && bytes.size() < count; ++i, value >>= 8) bytes.push_back(static_cast<char>(value & 0xff));
  }
  return bytes;
}

std::uint64_t SystemRandom::Next() {
  std::uint64_t value = 0;
  EVERFOLD_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof(value)) == 1);
  return value;
}

std::uint64_t SeededRandom::Next() {
  MutexLock lock(&mutex_);
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace everfold
