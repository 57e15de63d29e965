// Which append made which version of which stream, put together from all that was told and read.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/linearizability/history.h"

namespace everfold {

// The appends that took effect in a stream, in their order.
struct ChainLink {
  std::size_t append = 0;  // in History::appends
  Version last;            // that it made; it begins behind the link before
};
using StreamChain = std::vector<ChainLink>;

class StreamChains {
 public:
  // REQUIRES: the last reads of the history, begun when all appends had ended, are of everything in every stream, so
  // that an append of which no event was seen took no effect. In O(n log n).
  // Finds versions that are missing or were made twice, that do not follow on what was expected, events of appends that
  // nobody sent, were refused, or are there in half, and reads out of order.
  StreamChains(const History& history, std::vector<std::string>& violations);

  const std::vector<StreamChain>& streams() const { return streams_; }
  bool InEffect(std::size_t append) const { return parts_in_effect_[append] > 0; }
  std::uint64_t events() const { return events_; }

  // The link that holds the version, or the chain's size.
  std::size_t Find(StreamNumber stream, Version version) const;

 private:
  struct Claim {
    Version version;
    std::size_t append;
    friend auto operator<=>(const Claim&, const Claim&) = default;
  };
  using Claims = std::vector<std::vector<Claim>>;  // by stream

  void ClaimOfAppend(std::size_t i, Claims& claims);
  void ClaimOfRead(const ReadCall& read, Claims& claims);
  void Chain(StreamNumber stream, std::vector<Claim>& claims);
  void CheckLink(StreamNumber stream, Version before, const ChainLink& link);
  void CheckEffects();
  void Report(std::string violation) { violations_.push_back(std::move(violation)); }

  const History& history_;
  std::vector<std::string>& violations_;
  std::unordered_map<AppendNumber, std::size_t> by_number_;
  std::vector<StreamChain> streams_;
  std::vector<std::size_t> parts_in_effect_;  // by append
  std::uint64_t events_ = 0;
};

}  // namespace everfold
