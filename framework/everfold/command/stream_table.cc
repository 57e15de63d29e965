#include "everfold/command/stream_table.h"

#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxSpare = 64;

// SpaceUsedLong goes through reflection: it is asked again only when the encoded size, which generated code tells, has
// changed by an eighth.
std::size_t BytesOf(StreamSlot& slot) {
  const std::size_t encoded = slot.state.message->ByteSizeLong();
  const std::size_t before = slot.measured_encoded;
  if (slot.measured == 0 || encoded > before + before / 8 || encoded + before / 8 < before) {
    slot.measured = slot.state.message->SpaceUsedLong();
    slot.measured_encoded = encoded;
  }
  return sizeof(StreamSlot) + slot.stream.tenant.size() + slot.stream.aggregate.size() + slot.stream.id.size() +
         slot.measured;
}

}  // namespace

StreamSlot& StreamTable::Take(const StreamId& stream) {
  auto found = slots_.find(stream);
  if (found == slots_.end()) {
    auto slot = std::make_unique<StreamSlot>();
    slot->stream = stream;
    found = slots_.insert(std::move(slot)).first;
  }
  StreamSlot& slot = **found;
  if (slot.work != nullptr) return slot;
  if (slot.bytes > 0) {
    idle_.erase(slot.idle_place);
    idle_bytes_ -= slot.bytes;
    busy_bytes_ += slot.bytes;
  }
  if (spare_.empty()) {
    slot.work = std::make_unique<StreamWork>();
  } else {
    slot.work = std::move(spare_.back());
    spare_.pop_back();
  }
  return slot;
}

void StreamTable::Measure(StreamSlot& slot) {
  busy_bytes_ -= slot.bytes;
  slot.bytes = slot.state.message == nullptr ? 0 : BytesOf(slot);
  busy_bytes_ += slot.bytes;
  MakeRoom();
}

void StreamTable::Return(StreamSlot& slot) {
  EVERFOLD_CHECK(slot.work->idle());
  std::unique_ptr<StreamWork> work = std::move(slot.work);
  work->chain = nullptr;
  work->appends = 0;
  if (spare_.size() < kMaxSpare) spare_.push_back(std::move(work));
  busy_bytes_ -= slot.bytes;
  if (slot.state.message == nullptr) return Forget(slot);
  slot.bytes = BytesOf(slot);
  if (slot.bytes > max_bytes_) return Forget(slot);  // it alone, and not everything else before it
  idle_bytes_ += slot.bytes;
  idle_.push_front(&slot);
  slot.idle_place = idle_.begin();
  MakeRoom();
}

void StreamTable::MakeRoom() {
  while (idle_bytes_ + busy_bytes_ > max_bytes_ && !idle_.empty()) {
    StreamSlot& last = *idle_.back();
    idle_.pop_back();
    idle_bytes_ -= last.bytes;
    Forget(last);
  }
}

void StreamTable::Forget(StreamSlot& slot) { slots_.erase(slots_.find(slot.stream)); }

}  // namespace everfold
