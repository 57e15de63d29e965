#include "tests/bench/payloads.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_format.h"
#include "bench/v1/measured.pb.h"
#include "everfold/base/check.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kTexts = 32;
constexpr std::array kWords = {"account", "address",  "amount",  "because", "before",  "between", "by",     "carrier",
                               "city",    "customer", "delayed", "door",    "evening", "for",     "from",   "goods",
                               "house",   "invoice",  "is",      "later",   "left",    "monthly", "nobody", "number",
                               "of",      "on",       "order",   "parcel",  "payment", "please",  "price",  "refund",
                               "ring",    "second",   "shop",    "street",  "the",     "then",    "to",     "week"};

std::string Words(Noise& noise, std::size_t bytes) {
  std::string words;
  while (words.size() < bytes) {
    if (!words.empty()) words += ' ';
    words += kWords[noise.Below(kWords.size())];
  }
  words.resize(bytes);
  return words;
}

::bench::v1::Measured MessageOf(Noise& noise, std::size_t noise_bytes) {
  ::bench::v1::Measured message;
  message.set_noise(std::string(noise_bytes, '\0'));
  message.set_account(absl::StrFormat("%08d", noise.Below(100'000'000)));
  message.set_currency("EUR");
  message.set_amount_minor(static_cast<std::int64_t>(100 + noise.Below(12'000)));
  return message;
}

// The message whose note fills it up to `bytes` bytes.
std::string TextOf(Noise& noise, std::size_t bytes, std::size_t noise_bytes) {
  ::bench::v1::Measured message = MessageOf(noise, noise_bytes);
  std::size_t note = bytes - message.ByteSizeLong() - 3;
  do {
    message.set_note(Words(noise, note++));
  } while (message.ByteSizeLong() < bytes);
  // A length that takes one byte more jumps over one size: the account makes up for it.
  if (message.ByteSizeLong() > bytes) message.mutable_account()->pop_back();
  EVERFOLD_CHECK(message.ByteSizeLong() == bytes);
  return message.SerializeAsString();
}

}  // namespace

std::uint64_t Noise::Next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void Noise::Fill(char* out, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += sizeof(std::uint64_t)) {
    const std::uint64_t next = Next();
    std::memcpy(out + done, &next, std::min(sizeof(next), bytes - done));
  }
}

Payloads::Payloads(std::size_t bytes, std::size_t noise_percent)
    : bytes_(bytes), noise_bytes_(bytes * noise_percent / 100) {
  noise_begin_ = noise_bytes_ < 128 ? 2 : 3;  // behind tag and length of the first field
  Noise noise(1);
  texts_.reserve(kTexts);
  for (std::size_t i = 0; i < kTexts; ++i) texts_.push_back(TextOf(noise, bytes_, noise_bytes_));
}

void Payloads::Fill(Noise& noise, char* out) const {
  std::memcpy(out, texts_[noise.Below(texts_.size())].data(), bytes_);
  noise.Fill(out + noise_begin_, noise_bytes_);
}

}  // namespace everfold::bench
