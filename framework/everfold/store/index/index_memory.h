// The part of the index that is in memory: the generation that fills, the one before it while that is being written,
// and as many versions of streams, and last sequences of tags, as there is room for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "everfold/store/index/entry_kind.h"
#include "everfold/store/index/index_generation.h"
#include "everfold/store/index/stream_heads.h"

namespace everfold {

// Threading: const calls at the same time; others without any.
class IndexMemory {
 public:
  // `all_are_new`: the files hold nothing, and nothing will come into them but what was added here.
  IndexMemory(std::size_t head_bytes, std::size_t tag_head_bytes, bool all_are_new)
      : heads_(head_bytes, all_are_new), tag_heads_(tag_head_bytes, all_are_new) {}

  IndexGeneration& filling() { return *filling_; }
  // nullptr if none is being written.
  const IndexGeneration* older() const { return older_.get(); }
  std::size_t bytes() const { return filling_->bytes() + (older_ == nullptr ? 0 : older_->bytes()); }

  // The filling one becomes the older one. REQUIRES: there is none.
  void Rotate();
  // The older one is in the files. Returned, so that it is emptied where nobody waits for it, and then Reuse'd.
  std::unique_ptr<IndexGeneration> DropOlder();
  // One that was dropped and cleared becomes the next one to fill.
  void Reuse(std::unique_ptr<IndexGeneration> spare) { spare_ = std::move(spare); }

  // 0 for a stream that does not exist; nullopt if only the files can tell.
  std::optional<Version> VersionOf(const EntryName& stream) const;
  // What the files told, if nothing has become of it since: `dropped` is what was then.
  void Remember(const EntryName& stream, Version version, std::uint64_t dropped);
  std::uint64_t dropped() const { return dropped_; }  // generations, so far

  // Have the processor fetch what it takes to find or add the stream, for later; and then the next step.
  void Prefetch(const EntryName& stream) const {
    heads_.Prefetch(stream);
    filling_->Prefetch(stream);
  }
  void PrefetchEntries(const EntryName& stream) const {
    heads_.PrefetchSlot(stream);
    filling_->PrefetchEntries(stream);
  }
  const StreamHeads& heads() const { return heads_; }
  // What the files hold of streams or tags: taken as far as there is room. Returns how many are there now. When all
  // that the files hold were given, AllHeadsGiven. REQUIRES: no generation was dropped since they were read.
  std::size_t TakeHeads(EntryKind kind, absl::Span<const NameHead> read);
  void AllHeadsGiven(EntryKind kind) { HeadsOf(kind).AllWerePut(); }
  void AddStream(const EntryName& stream, const StreamEntry& entry);

  // A sequence above which no event carries the tag; nullopt if only the files can tell.
  std::optional<Sequence> LastTagged(const EntryName& tag) const;
  // What the files told, as for Remember.
  void RememberTag(const EntryName& tag, Sequence last, std::uint64_t dropped);
  void AddTag(const EntryName& tag, const TaggedEvent& event);

  // The generations in order, the older one first.
  template <class Visit>
  void ForEachGeneration(Visit visit) const {
    if (older_ != nullptr) visit(*older_);
    visit(*filling_);
  }

 private:
  StreamHeads& HeadsOf(EntryKind kind) { return kind == EntryKind::kTags ? tag_heads_ : heads_; }

  std::unique_ptr<IndexGeneration> filling_ = std::make_unique<IndexGeneration>();
  std::unique_ptr<IndexGeneration> older_;
  std::unique_ptr<IndexGeneration> spare_;
  StreamHeads heads_;
  StreamHeads tag_heads_;  // sequences, in place of versions
  std::uint64_t dropped_ = 0;
};

}  // namespace everfold
