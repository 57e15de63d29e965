#include "everfold/log/embedded/group_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/chunk_header.h"

namespace everfold {
namespace {

constexpr absl::Duration kMarkDelay = absl::Milliseconds(10);
constexpr absl::Duration kSealRetryDelay = absl::Seconds(1);
constexpr std::uint64_t kSealSlackBytes = 1 << 20;        // what RocksDB needs beside the chunks
constexpr absl::Duration kMergeDelay = absl::Seconds(2);  // without a seal: the disk has time
constexpr std::uint64_t kPortionBytes = 32 << 20;         // that are merged at a time while there is load

constexpr absl::Duration kRetryWhenFull = absl::Seconds(5);

// A sync of less than this is waited for on the writer's own strand: there is nothing worth doing meanwhile, and two
// changes of threads are spared.
constexpr std::size_t kSmallSyncBytes = 16 << 10;

absl::Status SyncFiles(const std::vector<std::shared_ptr<File>>& files) {
  for (const std::shared_ptr<File>& file : files) EVERFOLD_RETURN_IF_ERROR(file->Sync());
  return absl::OkStatus();
}

// Nothing was written; somebody has to make room.
absl::Status DiskFull(const std::string& message, ErrorFields fields) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, message, fields);
  AddRetryInfo(status, kRetryWhenFull);
  return status;
}

}  // namespace

GroupWriter::GroupWriter(EmbeddedLogOptions options, Files& files, Executor& executor, LogStrands& strands,
                         StoreParts parts, std::uint64_t writer_epoch)
    : options_(std::move(options)),
      files_(files),
      executor_(executor),
      strands_(strands),
      parts_(std::move(parts)),
      writer_epoch_(writer_epoch),
      journal_(parts_.journal, options_.journal_file_bytes),
      heads_(parts_.tail->Heads()),
      written_(parts_.last),
      durable_(parts_.last),
      marked_(parts_.high_water->mark()),
      journal_key_(JournalKeyOf(parts_.identity.key)) {
  MutexLock lock(&for_timers_->mutex);
  for_timers_->writer = this;
}

void GroupWriter::Stop() {
  state_ = State::kStopped;
  MutexLock lock(&for_timers_->mutex);
  for_timers_->writer = nullptr;
}

template <class Step>
void GroupWriter::PostTo(Strand& strand, Step step) {
  strand.Post([self = shared_from_this(), step = std::move(step)]() mutable {
    if (self->state_ == State::kOpen) step(*self);
  });
}

template <class Step>
std::unique_ptr<Timer> GroupWriter::PostAfter(absl::Duration delay, std::unique_ptr<Strand> LogStrands::*strand,
                                              Step step) {
  return executor_.PostAfter(delay, [for_timers = for_timers_, strand, step = std::move(step)] {
    MutexLock lock(&for_timers->mutex);
    GroupWriter* const writer = for_timers->writer;
    if (writer != nullptr) writer->PostTo(*(writer->strands_.*strand), step);
  });
}

void GroupWriter::Append(std::vector<ChunkAppend> group, PartitionLog::Done done) {
  CheckGroup(group, parts_.identity.partitions);
  outstanding_.Begin();
  Pending pending;
  pending.group = std::move(group);
  pending.done = std::move(done);
  pending.bytes = JournalRecordBytes(pending.group);
  bool first = false;
  {
    MutexLock lock(&waiting_mutex_);
    first = waiting_.empty();
    waiting_.push_back(std::move(pending));
  }
  if (first) PostTo(*strands_.writer, [](GroupWriter& self) { self.Take(); });
}

void GroupWriter::Take() {
  std::vector<Pending> taken;
  {
    MutexLock lock(&waiting_mutex_);
    taken.swap(waiting_);
  }
  for (Pending& pending : taken) queue_.push_back(std::move(pending));
  WriteQueued();
}

void GroupWriter::WriteQueued() {
  while (!queue_.empty()) {
    Pending& next = queue_.front();
    if (absl::Status admitted = Admit(next); !admitted.ok()) {
      Refuse(next, admitted);
    } else if (!journal_.HasRoom(next.bytes)) {
      MakeRoom();
      break;
    } else if (absl::Status written = Write(next); !written.ok()) {
      FailAll(written);
      Refuse(next, written);
    }
    in_flight_.push_back(std::move(next));
    queue_.pop_front();
  }
  MaybeSync();
}

absl::Status GroupWriter::Admit(const Pending& pending) const {
  EVERFOLD_RETURN_IF_ERROR(outstanding_.failure());
  if (pending.bytes > options_.journal_file_bytes) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("a group takes at most the %d bytes of a file of the journal, this one takes %d",
                                 options_.journal_file_bytes, pending.bytes),
                 {{"limit", std::to_string(options_.journal_file_bytes)}, {"actual", std::to_string(pending.bytes)}});
  }
  EVERFOLD_RETURN_IF_ERROR(CompareHeads(pending.group, heads_));
  if (FreeBytes() < options_.reserved_bytes) return BelowReserve();
  if (no_room_for_ > 0 && !journal_.HasRoom(pending.bytes)) return NoRoom();
  return absl::OkStatus();
}

std::uint64_t GroupWriter::FreeBytes() const {
  return options_.free_bytes != nullptr ? options_.free_bytes() : files_.FreeBytes(options_.directory);
}

absl::Status GroupWriter::BelowReserve() const {
  const std::uint64_t free = FreeBytes();
  return DiskFull(absl::StrFormat("%d bytes are free for the store in %s, %d are to stay free", free,
                                  options_.directory, options_.reserved_bytes),
                  {{"free_bytes", std::to_string(free)}, {"reserved_bytes", std::to_string(options_.reserved_bytes)}});
}

absl::Status GroupWriter::NoRoom() const {
  const std::uint64_t free = FreeBytes();
  return DiskFull(absl::StrFormat("the journal is full, and there was no room for the %d bytes that it needs to go on: "
                                  "%d bytes are free for the store in %s",
                                  no_room_for_, free, options_.directory),
                  {{"free_bytes", std::to_string(free)}, {"needed_bytes", std::to_string(no_room_for_)}});
}

// To the page cache; the record is durable with the next sync of its file.
absl::Status GroupWriter::Write(Pending& pending) {
  const Journal::Place place = journal_.Take(pending.bytes, written_.group + 1);
  pending.link = EncodeJournalRecord({.segment = place.segment,
                                      .position = place.position,
                                      .writer = writer_epoch_,
                                      .group = written_.group + 1,
                                      .durable_group = durable_.group,
                                      .previous = written_.checksum},
                                     pending.group, journal_key_, record_);
  pending.file = place.file;
  if (absl::Status written = place.file->WriteAt(place.position, record_); !written.ok()) {
    return OutcomeUnknown(std::string(written.message()));
  }
  written_ = pending.link;
  for (const ChunkAppend& append : pending.group) heads_[append.partition.value()] = append.new_head;
  MaybeMakeFile();
  return absl::OkStatus();
}

void GroupWriter::Refuse(Pending& pending, const absl::Status& why) {
  outstanding_.Fail(why);
  pending.outcome = why;
  pending.link = {};
}

// Everything that is written and not yet synced shares the next sync. One at a time: it covers what was written before
// it began, and the next one takes the rest.
void GroupWriter::MaybeSync() {
  TellSettled();
  if (syncing_ || in_flight_.empty() || in_flight_.front().link.group == 0) return MaybeClose();
  std::vector<std::shared_ptr<File>> files;
  std::size_t bytes = 0;
  for (const Pending& pending : in_flight_) {
    if (pending.link.group == 0) continue;
    if (files.empty() || files.back() != pending.file) files.push_back(pending.file);
    bytes += pending.bytes;
  }
  syncing_ = true;
  const GroupLink last = written_;
  auto sync = [files = std::move(files), last](GroupWriter& self) {
    absl::Status synced = SyncFiles(files);
    if (synced.ok() && self.options_.paranoid) synced = self.parts_.high_water->Write(last);
    self.PostTo(*self.strands_.writer,
                [last, synced](GroupWriter& writer) mutable { writer.OnSynced(last, std::move(synced)); });
  };
  PostTo(bytes < kSmallSyncBytes ? *strands_.writer : *strands_.syncer, std::move(sync));
}

void GroupWriter::OnSynced(GroupLink last, absl::Status status) {
  syncing_ = false;
  if (status.ok()) {
    Publish(last);
  } else {
    FailAll(OutcomeUnknown(std::string(status.message())));
  }
  TellSettled();
  MaybeMark();
  MaybeSeal(false);
  WriteQueued();
}

void GroupWriter::Publish(const GroupLink& last) {
  std::vector<std::pair<PartitionId, TailChunkPtr>> chunks;
  for (Pending& pending : in_flight_) {
    if (pending.link.group == 0 || pending.link.group > last.group) break;
    for (ChunkAppend& append : pending.group) {
      const Offset before = append.expected_head.offset;
      chunks.emplace_back(append.partition, std::make_shared<TailChunk>(
                                                TailChunk{before.Next(), append.new_head, std::move(append.bytes)}));
    }
  }
  parts_.tail->Append(chunks);
  durable_ = last;
}

// Tells, in order, all whose outcome is known by now.
void GroupWriter::TellSettled() {
  bool moved = false;
  while (!in_flight_.empty()) {
    const Pending& first = in_flight_.front();
    if (first.link.group > durable_.group) break;
    moved = moved || first.link.group > 0;
    Pending settled = std::move(in_flight_.front());
    in_flight_.pop_front();
    Tell(std::move(settled));
  }
  if (!moved) return;
  for (PartitionLog::Hint& hint : hints_) hint();
}

void GroupWriter::Tell(Pending pending) {
  // A group that is durable is so, whatever has happened since.
  const bool durable = pending.link.group > 0;
  pending.done(durable ? absl::OkStatus() : outstanding_.Settle(std::move(pending.outcome)));
  outstanding_.End();
}

// What is written and not durable has an unknown outcome, and so has everything that comes.
void GroupWriter::FailAll(const absl::Status& cause) {
  failed_ = true;
  outstanding_.Fail(cause);
  for (Pending& pending : in_flight_) {
    // What was refused before stands behind all that was written, and shares its fate.
    const bool durable = pending.link.group > 0 && pending.link.group <= durable_.group;
    if (!durable) Refuse(pending, cause);
  }
  TellSealWaiters(cause);
}

// --- Room in the ring.

void GroupWriter::MakeRoom() {
  MaybeMakeFile();
  // Where nothing could be freed yet the next sync comes here again.
  if (!making_file_ && (journal_.ClosedSegments(durable_.group) > 0 || !syncing_)) MaybeSeal(true);
}

// Ahead of need: a file that is zeroed while an append waits for it costs that append milliseconds.
void GroupWriter::MaybeMakeFile() {
  if (making_file_ || journal_.free_files() > 0 || journal_.files() >= options_.max_journal_files) return;
  making_file_ = true;
  const std::string path = JournalFilePath(JournalDirectory(options_.directory), journal_.next_file());
  PostTo(*strands_.keeper, [path](GroupWriter& self) {
    absl::StatusOr<JournalFile> file = MakeJournalFile(self.files_, path, self.options_.journal_file_bytes);
    self.PostTo(*self.strands_.writer,
                [file = std::move(file)](GroupWriter& writer) mutable { writer.OnFileMade(std::move(file)); });
  });
}

void GroupWriter::OnFileMade(absl::StatusOr<JournalFile> file) {
  making_file_ = false;
  if (file.ok()) {
    journal_.AddFree(*std::move(file));
    no_room_for_ = 0;
  } else if (absl::IsResourceExhausted(file.status())) {
    no_room_for_ = options_.journal_file_bytes;
    MaybeSeal(true);
  } else {
    FailAll(OutcomeUnknown(std::string(file.status().message())));
  }
  WriteQueued();
}

// --- Sealing.

void GroupWriter::SealAll(PartitionLog::Done done) {
  strands_.writer->Post([self = shared_from_this(), done = std::move(done)]() mutable {
    if (self->state_ == State::kClosed) {
      done(Unavailable(reason::kStoreClosed, "the log is closed"));
    } else if (self->state_ == State::kOpen) {
      self->BeginSealAll(std::move(done));
    }
  });
}

void GroupWriter::BeginSealAll(PartitionLog::Done done) {
  seal_waiters_.push_back({durable_.group, std::move(done)});
  TellSealWaiters(outstanding_.failure());
  MaybeSeal(false);
}

void GroupWriter::MaybeSeal(bool all) {
  const bool asked = all || !seal_waiters_.empty();
  if (sealing_ || failed_ || (!asked && journal_.ClosedSegments(durable_.group) < options_.seal_files)) return;
  if (retry_timer_ != nullptr && seal_waiters_.empty()) return;  // there was no room a moment ago
  Seal seal = TakeSeal();
  if (const std::uint64_t needed = seal.bytes + kSealSlackBytes; FreeBytes() < needed) return PostponeSeal(needed);
  sealing_ = true;
  PostTo(*strands_.sealer, [seal = std::move(seal)](GroupWriter& self) {
    absl::Status sealed = self.parts_.sealed->Seal(seal.chunks, seal.upto);
    self.PostTo(*self.strands_.writer,
                [upto = seal.upto, sealed](GroupWriter& writer) mutable { writer.OnSealed(upto, std::move(sealed)); });
  });
}

GroupWriter::Seal GroupWriter::TakeSeal() const {
  Seal seal;
  seal.upto = {.group = durable_, .heads = parts_.tail->Heads()};
  for (std::uint32_t i = 0; i < seal.upto.heads.size(); ++i) {
    seal.chunks.push_back(parts_.tail->ChunksUpTo(PartitionId(i), seal.upto.heads[i]));
    for (const TailChunkPtr& chunk : seal.chunks.back()) seal.bytes += chunk->bytes->size();
  }
  return seal;
}

// The groups are durable in the journal. What comes is refused as soon as that is full, until a seal or another file of
// the journal has found room.
void GroupWriter::PostponeSeal(std::uint64_t needed) {
  no_room_for_ = needed;
  retry_timer_ = PostAfter(kSealRetryDelay, &LogStrands::writer, [](GroupWriter& writer) {
    writer.retry_timer_ = nullptr;
    writer.MaybeSeal(true);
    writer.MaybeMakeFile();
    writer.WriteQueued();
  });
  TellSealWaiters(NoRoom());
}

void GroupWriter::OnSealed(const SealedCheckpoint& upto, absl::Status status) {
  sealing_ = false;
  if (status.ok()) {
    PostTo(*strands_.sealer, [dropped = parts_.tail->Drop(upto.heads)](GroupWriter&) mutable { dropped.clear(); });
    journal_.Free(upto.group.group);
    no_room_for_ = 0;
    MergeAfter(kMergeDelay);
    MergeUnderLoad();
  } else {
    FailAll(OutcomeUnknown("sealing failed: " + std::string(status.message())));
  }
  TellSealWaiters(status);
  MaybeSeal(false);
  WriteQueued();
}

void GroupWriter::TellSealWaiters(const absl::Status& status) {
  const GroupNumber sealed = parts_.sealed->checkpoint().group.group;
  for (SealWaiter& waiter : std::exchange(seal_waiters_, {})) {
    if (waiter.group <= sealed) {
      waiter.done(absl::OkStatus());
    } else if (!status.ok()) {
      waiter.done(status);
    } else {
      seal_waiters_.push_back(std::move(waiter));
    }
  }
}

void GroupWriter::MergeAfter(absl::Duration delay) {
  merge_timer_ = PostAfter(delay, &LogStrands::writer, [](GroupWriter& writer) { writer.MergeInIdleTime(); });
}

void GroupWriter::MergeInIdleTime() {
  if (merging_) return MergeAfter(kMergeDelay);
  if (!sealing_) Merge({}, &GroupWriter::MergeInIdleTime);
}

// The sealer takes a seal that came meanwhile before the next portion.
void GroupWriter::MergeUnderLoad() {
  Merge({.bytes = kPortionBytes, .above_small_files = options_.max_small_files}, &GroupWriter::MergeUnderLoad);
}

// Like a seal, it must not meet a full disk: what RocksDB could not write ends the log.
void GroupWriter::Merge(SealedChunks::MergeLimits limits, void (GroupWriter::*go_on)()) {
  if (merging_ || failed_ || !found_in_merge_.ok()) return;
  const std::uint64_t free = FreeBytes();
  limits.room_bytes = free - std::min(free, options_.reserved_bytes + kSealSlackBytes);
  merging_ = true;
  PostTo(*strands_.sealer, [limits, go_on](GroupWriter& self) {
    absl::StatusOr<bool> merged = self.parts_.sealed->Merge(limits);
    self.PostTo(*self.strands_.writer,
                [merged = std::move(merged), go_on](GroupWriter& writer) { writer.OnMerged(merged, go_on); });
  });
}

void GroupWriter::OnMerged(const absl::StatusOr<bool>& merged, void (GroupWriter::*go_on)()) {
  merging_ = false;
  if (merged.ok()) {
    if (*merged) (this->*go_on)();
  } else if (absl::IsDataLoss(merged.status())) {
    found_in_merge_ = merged.status();  // appends go on: they do not read what is sealed
  } else {
    FailAll(OutcomeUnknown("merging sealed files failed: " + std::string(merged.status().message())));
    WriteQueued();
  }
}

// --- High-water marks.

void GroupWriter::MaybeMark() {
  if (options_.paranoid) marked_ = durable_;
  if (marking_ || marked_ == durable_ || failed_) return;
  marking_ = true;
  mark_timer_ = PostAfter(kMarkDelay, &LogStrands::writer, [](GroupWriter& writer) { writer.Mark(); });
}

void GroupWriter::Mark() {
  mark_timer_ = nullptr;
  const GroupLink mark = durable_;
  PostTo(*strands_.keeper, [mark](GroupWriter& self) {
    absl::Status written = self.parts_.high_water->Write(mark);
    self.PostTo(*self.strands_.writer, [mark, written](GroupWriter& writer) mutable {
      if (written.ok()) writer.marked_ = mark;
      writer.OnMarked(std::move(written));
    });
  });
}

void GroupWriter::OnMarked(absl::Status status) {
  marking_ = false;
  if (!status.ok()) FailAll(OutcomeUnknown("the high-water mark was not written: " + std::string(status.message())));
  MaybeMark();
  WriteQueued();
}

// --- The end.

void GroupWriter::Close(PartitionLog::Done done) {
  PostTo(*strands_.writer, [done = std::move(done)](GroupWriter& self) mutable {
    self.closing_ = std::move(done);
    self.MaybeClose();
  });
}

void GroupWriter::MaybeClose() {
  if (closing_ == nullptr || !queue_.empty() || !in_flight_.empty() || syncing_ || sealing_ || making_file_) return;
  if (marking_ && mark_timer_ != nullptr) return Mark();  // now, not in a while
  if (marking_) return;
  if (!failed_ && marked_ != durable_ && !options_.paranoid) {
    marking_ = true;
    return Mark();
  }
  hints_.clear();
  retry_timer_ = nullptr;
  merge_timer_ = nullptr;
  state_ = State::kClosed;
  std::exchange(closing_, nullptr)(absl::OkStatus());
}

}  // namespace everfold
