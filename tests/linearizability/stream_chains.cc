#include "tests/linearizability/stream_chains.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace everfold {

StreamChains::StreamChains(const History& history, std::vector<std::string>& violations)
    : history_(history), violations_(violations), parts_in_effect_(history.appends.size()) {
  Claims claims;
  for (std::size_t i = 0; i < history.appends.size(); ++i) {
    if (!by_number_.emplace(history.appends[i].number, i).second) {
      Report("two appends have one number: " + Describe(history.appends[i]));
    }
    ClaimOfAppend(i, claims);
  }
  for (const ReadCall& read : history.reads) ClaimOfRead(read, claims);
  streams_.resize(claims.size());
  for (StreamNumber stream = 0; stream < claims.size(); ++stream) Chain(stream, claims[stream]);
  CheckEffects();
}

std::size_t StreamChains::Find(StreamNumber stream, Version version) const {
  const StreamChain& chain = streams_[stream];
  const auto link = std::lower_bound(chain.begin(), chain.end(), version,
                                     [](const ChainLink& link, Version sought) { return link.last < sought; });
  return static_cast<std::size_t>(link - chain.begin());
}

void StreamChains::ClaimOfAppend(std::size_t i, Claims& claims) {
  const AppendCall& append = history_.appends[i];
  for (const AppendPart& part : append.parts) {
    if (claims.size() <= part.stream) claims.resize(part.stream + 1);
    if (append.outcome != AppendOutcome::kDone) continue;
    if (part.version.value() < part.events) {
      Report("a version is too low: " + Describe(append));
      continue;
    }
    for (std::uint64_t e = 0; e < part.events; ++e) {
      claims[part.stream].push_back({Version(part.version.value() - e), i});
    }
  }
}

void StreamChains::ClaimOfRead(const ReadCall& read, Claims& claims) {
  if (claims.size() <= read.stream) claims.resize(read.stream + 1);
  Version last = read.after.value_or(Version());
  for (const ReadEvent& event : read.events) {
    if (event.version != last.Next()) {
      Report(absl::StrFormat("version %d is read after %d: %s", event.version.value(), last.value(), Describe(read)));
    }
    last = event.version;
    const auto append = by_number_.find(event.append);
    if (append == by_number_.end()) {
      Report(absl::StrFormat("nobody sent append %d: %s", event.append, Describe(read)));
    } else {
      claims[read.stream].push_back({event.version, append->second});
    }
  }
}

void StreamChains::Chain(StreamNumber stream, std::vector<Claim>& claims) {
  std::sort(claims.begin(), claims.end());
  claims.erase(std::unique(claims.begin(), claims.end()), claims.end());
  StreamChain& chain = streams_[stream];
  Version last;
  for (const Claim& claim : claims) {
    if (claim.version == last) {
      Report(absl::StrFormat("version %d of stream %d was made twice:\n  %s\n  %s", last.value(), stream,
                             Describe(history_.appends[chain.back().append]),
                             Describe(history_.appends[claim.append])));
      continue;
    }
    if (claim.version != last.Next()) {
      Report(absl::StrFormat("versions %d to %d of stream %d are missing, before:\n  %s", last.value() + 1,
                             claim.version.value() - 1, stream, Describe(history_.appends[claim.append])));
    }
    last = claim.version;
    ++events_;
    if (chain.empty() || chain.back().append != claim.append) chain.push_back({claim.append, last});
    chain.back().last = last;
  }
  Version before;
  for (const ChainLink& link : chain) {
    CheckLink(stream, before, link);
    before = link.last;
  }
}

void StreamChains::CheckLink(StreamNumber stream, Version before, const ChainLink& link) {
  const AppendCall& append = history_.appends[link.append];
  ++parts_in_effect_[link.append];
  const auto part = std::find_if(append.parts.begin(), append.parts.end(),
                                 [stream](const AppendPart& part) { return part.stream == stream; });
  if (part == append.parts.end()) {
    return Report(absl::StrFormat("in stream %d, for which it was not: %s", stream, Describe(append)));
  }
  if (link.last.value() - before.value() != part->events || part->expected.value_or(before) != before) {
    Report(absl::StrFormat("it made versions %d to %d of stream %d: %s", before.value() + 1, link.last.value(), stream,
                           Describe(append)));
  }
}

void StreamChains::CheckEffects() {
  for (std::size_t i = 0; i < history_.appends.size(); ++i) {
    const AppendCall& append = history_.appends[i];
    if (!InEffect(i)) continue;
    if (append.outcome == AppendOutcome::kConflict || append.outcome == AppendOutcome::kRefused) {
      Report("it should have changed nothing, and is there: " + Describe(append));
    } else if (parts_in_effect_[i] != append.parts.size()) {
      Report(absl::StrFormat("it is there in %d streams: %s", parts_in_effect_[i], Describe(append)));
    }
  }
}

}  // namespace everfold
