#include "tests/bench/streams.h"

#include "absl/strings/str_format.h"

namespace everfold::bench {

StreamId Streams::NameOf(std::uint32_t stream) {
  std::string id = std::to_string(10'000'000 + stream);  // all of one length
  return {.tenant = "", .aggregate = "account", .id = std::move(id)};
}

void Streams::Learn(std::uint32_t stream, Version version) {
  std::atomic<std::uint32_t>& known = versions_[stream];
  const auto wanted = static_cast<std::uint32_t>(version.value());
  std::uint32_t now = known.load(std::memory_order_relaxed);
  while (now < wanted && !known.compare_exchange_weak(now, wanted, std::memory_order_relaxed)) {
  }
}

}  // namespace everfold::bench
