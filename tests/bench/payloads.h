// The payloads that are appended: Measured messages of one size, of which a part is noise that does not compress and
// the rest is words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace everfold::bench {

// SplitMix64 (Steele, Lea, Flood 2014), one a caller.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  // Uniform enough in [0, bound).
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }
  void Fill(char* out, std::size_t bytes);

 private:
  std::uint64_t state_;
};

// Threading: thread-safe, the noise is the caller's.
class Payloads {
 public:
  // Every payload has `bytes` bytes, of which noise_percent are noise. REQUIRES: bytes >= 100.
  explicit Payloads(std::size_t bytes, std::size_t noise_percent = 30);

  std::size_t bytes() const { return bytes_; }
  // Writes bytes() bytes. The noise is another one in every payload, the rest is one of a few dozen texts: names, units
  // and phrases of a business repeat.
  void Fill(Noise& noise, char* out) const;

 private:
  const std::size_t bytes_;
  const std::size_t noise_bytes_;
  std::size_t noise_begin_ = 0;
  std::vector<std::string> texts_;  // serialized messages, whose noise is overwritten
};

}  // namespace everfold::bench
