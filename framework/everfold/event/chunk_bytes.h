// Varints and strings, of which the variable part of a chunk is made (docs/formats/chunk.md).
//
// A varint is a number of at most 64 bits in groups of 7, the lowest first; every byte but the last has its highest bit
// set. There is one way to write a number: the shortest. A signed number is written as a zigzag varint (0, -1, 1, -2 as
// 0, 1, 2, 3), a string as a varint of its length and its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace everfold {

inline constexpr std::size_t kMaxVarintBytes = 10;

constexpr std::uint64_t Zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t Unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

inline void AppendVarint(std::string& out, std::uint64_t value) {
  char bytes[kMaxVarintBytes];
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

inline void AppendString(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out.append(text);
}

constexpr std::size_t VarintSize(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// Reads from the front of bytes that outlive it. Once something did not decode it is failed, has nothing left, and
// gives zeros and empty views: whoever reads several things may ask once, at the end.
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(std::string_view bytes) : ByteReader(bytes.data(), bytes.data() + bytes.size()) {}
  ByteReader(const char* begin, const char* end)
      : at_(reinterpret_cast<const unsigned char*>(begin)), end_(reinterpret_cast<const unsigned char*>(end)) {}

  unsigned char Byte() {
    if (at_ == end_) return static_cast<unsigned char>(Fail("the bytes end too early"));
    return *at_++;
  }
  std::uint64_t Varint() {
    if (left() >= 1 && at_[0] < 0x80) return *at_++;
    if (left() >= 2 && at_[1] - 1u < 0x7f) {
      at_ += 2;
      return std::uint64_t{at_[-1]} << 7 | (at_[-2] & 0x7f);
    }
    const LongVarint read = ReadLongVarint(at_, end_);
    if (read.end == nullptr) return Fail(WhyNoVarint(at_, end_));
    at_ = read.end;
    return read.value;
  }
  std::string_view String() { return Bytes(Varint()); }
  std::string_view Bytes(std::uint64_t count) {
    if (count > left()) {
      Fail("the bytes end too early");
      return {};
    }
    const std::string_view bytes(at(), count);
    at_ += count;
    return bytes;
  }
  void SkipVarints(std::uint64_t count) {
    for (; count > 0 && !failed(); --count) Varint();
  }

  const char* at() const { return reinterpret_cast<const char*>(at_); }
  std::string_view rest() const { return {at(), left()}; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool failed() const { return failure_ != nullptr; }
  bool done() const { return at_ == end_ && !failed(); }
  // What did not decode. REQUIRES: failed().
  const char* failure() const { return failure_; }

 private:
  struct LongVarint {
    std::uint64_t value;
    const unsigned char* end;  // nullptr: it did not decode
  };
  // Both take no reader, so that one that is a local variable can stay in registers.
  static LongVarint ReadLongVarint(const unsigned char* at, const unsigned char* end);
  static const char* WhyNoVarint(const unsigned char* at, const unsigned char* end);
  std::uint64_t Fail(const char* what) {
    if (failure_ == nullptr) failure_ = what;
    at_ = end_;
    return 0;
  }

  const unsigned char* at_ = nullptr;
  const unsigned char* end_ = nullptr;
  const char* failure_ = nullptr;
};

}  // namespace everfold
