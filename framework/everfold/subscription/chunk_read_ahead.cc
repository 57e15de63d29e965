#include "everfold/subscription/chunk_read_ahead.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::size_t kPiecesAhead = 2;            // beside the one that is handled
constexpr std::size_t kMostPieceBytes = 64 << 10;  // and a last chunk
constexpr std::size_t kMaxBytes = 4 << 20;         // read ahead of all cursors, and a last piece or two

// Some chunks, one behind the other. Its memory is used again, unless there is much of it, as a large chunk needs.
struct Piece {
  struct Chunk {
    std::size_t size;
    PartitionHead head;
  };

  void Clear() {
    if (bytes.capacity() > 2 * kMostPieceBytes) bytes = std::string();
    bytes.clear();
    chunks.clear();
  }
  void Add(const ChunkCursor& at) {
    bytes.append(at.chunk());
    chunks.push_back({at.chunk().size(), at.head()});
  }

  std::string bytes;
  std::vector<Chunk> chunks;
};

}  // namespace

// What is read ahead of one partition. Threading: thread-safe, but for Take.
class ChunkReadAhead::Lane {
 public:
  enum class Taken { kChunks, kNothing, kBusy };

  // `bytes_ahead` is what all lanes have read ahead.
  Lane(std::unique_ptr<ChunkCursor> cursor, std::size_t piece_bytes,
       std::shared_ptr<std::atomic<std::size_t>> bytes_ahead)
      : piece_bytes_(piece_bytes), bytes_ahead_(std::move(bytes_ahead)), cursor_(std::move(cursor)) {}

  // Puts what comes next into `piece`, read now if it has not been. Nothing at the durable head; busy while somebody
  // else reads it. REQUIRES: not closed.
  absl::StatusOr<Taken> Take(Piece& piece) {
    piece.Clear();
    {
      MutexLock lock(&mutex_);
      if (pieces_ > 0) {
        std::swap(piece, ahead_[first_]);
        first_ = (first_ + 1) % kPiecesAhead;
        --pieces_;
        *bytes_ahead_ -= piece.bytes.size();
        return Taken::kChunks;
      }
      if (reading_) return Taken::kBusy;
      reading_ = true;
    }
    const absl::StatusOr<bool> found = Fill(piece);
    MutexLock lock(&mutex_);
    reading_ = stopped_ = false;
    EVERFOLD_RETURN_IF_ERROR(found.status());
    return *found ? Taken::kChunks : Taken::kNothing;
  }

  // Reads one piece, if there is room for it. True if there is room for another.
  bool ReadOne() {
    Piece* piece = nullptr;
    {
      MutexLock lock(&mutex_);
      if (!HasRoom()) return false;
      reading_ = true;
      piece = &ahead_[(first_ + pieces_) % kPiecesAhead];  // also if others are taken meanwhile
    }
    piece->Clear();
    const absl::StatusOr<bool> found = Fill(*piece);
    if (!found.ok()) failure_ = found.status();
    MutexLock lock(&mutex_);
    reading_ = false;
    stopped_ = !found.ok() || !*found;
    if (stopped_) return false;
    ++pieces_;
    *bytes_ahead_ += piece->bytes.size();
    return HasRoom();
  }

  // Until whoever reads has done so.
  void Await() {
    MutexLock lock(&mutex_);
    AwaitLocked();
  }

  void Close() {
    MutexLock lock(&mutex_);
    AwaitLocked();
    cursor_ = nullptr;
    for (; pieces_ > 0; --pieces_, first_ = (first_ + 1) % kPiecesAhead) *bytes_ahead_ -= ahead_[first_].bytes.size();
  }

  bool waits = false;  // the queue's: it is in there

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return cursor_ != nullptr && !reading_ && !stopped_ && pieces_ < kPiecesAhead && *bytes_ahead_ < kMaxBytes;
  }
  void AwaitLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    mutex_.Await(absl::Condition(
        +[](bool* reading) { return !*reading; }, &reading_));
  }

  // REQUIRES: the piece is empty, and the caller has set reading_. An error behind some chunks is told after those.
  absl::StatusOr<bool> Fill(Piece& piece) {
    if (!failure_.ok()) return std::exchange(failure_, absl::OkStatus());
    while (piece.bytes.size() < piece_bytes_) {
      const absl::StatusOr<bool> found = cursor_->Next();
      if (!found.ok()) failure_ = found.status();
      if (!found.ok() || !*found) break;
      piece.Add(*cursor_);
    }
    if (piece.chunks.empty() && !failure_.ok()) return std::exchange(failure_, absl::OkStatus());
    return !piece.chunks.empty();
  }

  const std::size_t piece_bytes_;
  const std::shared_ptr<std::atomic<std::size_t>> bytes_ahead_;
  Mutex mutex_;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;  // somebody has the cursor, the failure, and the piece after the last
  std::unique_ptr<ChunkCursor> cursor_;           // nullptr once closed
  absl::Status failure_;                          // to be told in its turn
  std::array<Piece, kPiecesAhead> ahead_;         // the others are with the mutex
  std::size_t first_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t pieces_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;  // at the head, or by an error; who asks looks again
};

// The lanes that have room, in turn; one step at a time, of one piece. Threading: thread-safe.
class ChunkReadAhead::Queue : public std::enable_shared_from_this<Queue> {
 public:
  explicit Queue(Executor& executor) : executor_(executor) {}

  void Add(std::shared_ptr<Lane> lane) {
    {
      MutexLock lock(&mutex_);
      AddLocked(std::move(lane));
      if (std::exchange(running_, true)) return;
    }
    PostStep();
  }

  // Does the work of a step, beside the one that may run; false if there is none.
  bool Help() {
    std::shared_ptr<Lane> lane;
    {
      MutexLock lock(&mutex_);
      if (lanes_.empty()) return false;
      lane = std::move(lanes_.front());
      lanes_.pop_front();
      lane->waits = false;
    }
    if (lane->ReadOne()) Add(std::move(lane));
    return true;
  }

 private:
  void AddLocked(std::shared_ptr<Lane> lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(lane->waits, true)) return;
    lanes_.push_back(std::move(lane));
  }

  void PostStep() {
    executor_.Post([queue = shared_from_this()] { queue->Step(); });
  }

  void Step() {
    Help();
    {
      MutexLock lock(&mutex_);
      running_ = !lanes_.empty();
      if (!running_) return;
    }
    PostStep();
  }

  Executor& executor_;
  Mutex mutex_;
  std::deque<std::shared_ptr<Lane>> lanes_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // a step is posted, and has not ended
};

class ChunkReadAhead::Cursor final : public ChunkCursor {
 public:
  Cursor(std::shared_ptr<Queue> queue, std::shared_ptr<Lane> lane) : queue_(std::move(queue)), lane_(std::move(lane)) {}
  ~Cursor() override { lane_->Close(); }

  absl::StatusOr<bool> Next() override {
    begin_ += size();
    ++at_;
    if (at_ < piece_.chunks.size()) return true;
    at_ = begin_ = 0;
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const Lane::Taken taken, lane_->Take(piece_));
      if (taken == Lane::Taken::kNothing) return false;
      if (taken == Lane::Taken::kChunks) break;
      // What others are reading is waited for only when there is nothing else to read.
      if (!queue_->Help()) lane_->Await();
    }
    queue_->Add(lane_);
    return true;
  }
  std::string_view chunk() const override { return std::string_view(piece_.bytes).substr(begin_, size()); }
  PartitionHead head() const override { return piece_.chunks[at_].head; }

 private:
  std::size_t size() const { return at_ < piece_.chunks.size() ? piece_.chunks[at_].size : 0; }

  const std::shared_ptr<Queue> queue_;
  const std::shared_ptr<Lane> lane_;
  Piece piece_;
  std::size_t at_ = 0;  // of its chunks
  std::size_t begin_ = 0;
};

ChunkReadAhead::ChunkReadAhead(Executor& executor, std::size_t cursors)
    : queue_(std::make_shared<Queue>(executor)),
      bytes_ahead_(std::make_shared<std::atomic<std::size_t>>(0)),
      piece_bytes_(std::min(kMostPieceBytes, kMaxBytes / (kPiecesAhead + 1) / std::max<std::size_t>(cursors, 1))) {}

ChunkReadAhead::~ChunkReadAhead() = default;

std::unique_ptr<ChunkCursor> ChunkReadAhead::Wrap(std::unique_ptr<ChunkCursor> cursor) {
  return std::make_unique<Cursor>(queue_, std::make_shared<Lane>(std::move(cursor), piece_bytes_, bytes_ahead_));
}

}  // namespace everfold
