#include "everfold/store/index/tiered_index.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "everfold/base/status.h"
#include "everfold/store/index/chunk_intake.h"
#include "everfold/store/index/entry_counter.h"
#include "everfold/store/index/entry_name.h"
#include "everfold/store/index/generation_writer.h"
#include "everfold/store/index/head_reader.h"
#include "everfold/store/index/index_lookups.h"

namespace everfold {
namespace {

constexpr std::string_view kFirstName("\0", 1);  // none is before it

EntryName NameOf(const StreamId& stream) { return EntryName::OfStream(stream.tenant, stream.aggregate, stream.id); }

std::unique_ptr<IdleMerging> IdleMergingOf(const StoreIndexOptions& options, IndexDatabase* database) {
  if (database == nullptr || options.idle_merging == nullptr) return nullptr;
  return std::make_unique<IdleMerging>(*database, *options.idle_timers, options.idle_merging);
}

std::vector<StreamPlace> PlacesOf(const std::vector<StreamEntry>& entries) {
  std::vector<StreamPlace> places;
  places.reserve(entries.size());
  for (const StreamEntry& entry : entries) places.push_back(entry.place());
  return places;
}

}  // namespace

TieredIndex::TieredIndex(const StoreIndexOptions& options, const LogIdentity& log, OpenedIndex opened, Strand& disk)
    : max_memory_bytes_(options.max_memory_bytes),
      identity_(EncodeIndexIdentity(log)),
      digester_(log.key),
      retention_(options.command_retention),
      disk_(disk),
      lock_(std::move(opened.lock)),
      database_(std::move(opened.database)),
      types_(std::move(opened.types)),
      idle_merging_(IdleMergingOf(options, database_.get())),
      memory_(database_ == nullptr ? 0 : options.head_bytes, database_ == nullptr ? 0 : options.tag_head_bytes,
              opened.checkpoint.tail.last_sequence == Sequence()),
      filter_(database_ == nullptr ? 0 : options.command_filter_bytes),
      reached_(std::move(opened.checkpoint)),
      older_reached_(reached_),
      in_files_(reached_.tail.last_sequence),
      days_(std::make_shared<const std::vector<Day>>(reached_.days)),
      reach_(std::make_shared<Reach>()) {
  {
    MutexLock lock(&reach_->mutex);
    reach_->index = this;
  }
  std::optional<Day> first;
  bool memory_is_all;
  {
    MutexLock lock(&mutex_);
    memory_is_all = database_ == nullptr || in_files_ == Sequence();
    if (reached_.days.empty()) filter_.Complete();
    if (!reached_.days.empty()) first = FirstCommandDay();
  }
  if (first.has_value()) PostSteps(&TieredIndex::FillFilter, CommandPrefix(*first, CommandDigest()));
  if (memory_is_all) return;
  if (options.head_bytes > 0) PostSteps(&TieredIndex::FillStreamHeads, std::string(kFirstName));
  if (options.tag_head_bytes > 0) PostSteps(&TieredIndex::FillTagHeads, std::string(kFirstName));
}

TieredIndex::~TieredIndex() {
  MutexLock lock(&reach_->mutex);
  reach_->index = nullptr;
}

void TieredIndex::PrefetchVersions(absl::Span<const EntryName* const> streams) const {
  ReaderMutexLock lock(&mutex_);
  for (const EntryName* stream : streams) memory_.heads().Prefetch(*stream);
  for (const EntryName* stream : streams) memory_.heads().PrefetchSlot(*stream);
}

absl::StatusOr<Version> TieredIndex::VersionOf(const EntryName& name) const {
  if (!name.valid()) return Version();
  std::uint64_t dropped;
  {
    ReaderMutexLock lock(&mutex_);
    const std::optional<Version> known = memory_.VersionOf(name);
    if (known.has_value()) return *known;
    dropped = memory_.dropped();
  }
  if (database_ == nullptr) return Version();
  EVERFOLD_ASSIGN_OR_RETURN(const Version version, FindVersion(*database_, name.bytes()));
  MutexLock lock(&mutex_);
  memory_.Remember(name, version, dropped);
  return version;
}

absl::StatusOr<std::vector<StreamPlace>> TieredIndex::PlacesAfter(const StreamId& stream, Version after,
                                                                  std::size_t limit) const {
  const EntryName name = NameOf(stream);
  if (!name.valid()) return std::vector<StreamPlace>();
  EVERFOLD_ASSIGN_OR_RETURN(const Version version, VersionOf(name));
  if (version <= after) return std::vector<StreamPlace>();
  std::vector<StreamEntry> recent;
  const auto append_recent = [&](const IndexGeneration& generation) {
    generation.AppendEntriesAfter(name, after, limit, recent);
  };
  {
    ReaderMutexLock lock(&mutex_);
    memory_.ForEachGeneration(append_recent);
  }
  const bool all_recent = !recent.empty() && recent.front().first_version <= after.Next();
  if (all_recent || database_ == nullptr) return PlacesOf(recent);
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<StreamEntry> entries, FindEntriesAfter(*database_, name.bytes(), after, limit));
  for (const StreamEntry& entry : recent) {
    if (entries.size() >= limit) break;
    if (entries.empty() || entry.first_version > entries.back().first_version) entries.push_back(entry);
  }
  return PlacesOf(entries);
}

absl::StatusOr<std::vector<CommitPlace>> TieredIndex::FindCommand(const CommandKey& command) const {
  const CommandDigest digest = digester_.Digest(command.tenant, command.type, command.id);
  std::vector<CommitPlace> recent;
  std::shared_ptr<const std::vector<Day>> days;
  Day first_day;
  {
    ReaderMutexLock lock(&mutex_);
    if (!filter_.MayHave(digest)) return recent;
    first_day = FirstCommandDay();
    memory_.ForEachGeneration(
        [&](const IndexGeneration& generation) { generation.AppendPlaces(digest, first_day, recent); });
    days = days_;
  }
  if (database_ == nullptr) return recent;
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<CommitPlace> places, FindPlaces(*database_, digest, *days, first_day));
  for (const CommitPlace& place : recent) {
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  return places;
}

absl::Time TieredIndex::CommandsSince() const {
  ReaderMutexLock lock(&mutex_);
  const Day first = FirstCommandDay();
  return first == 0 ? absl::InfinitePast() : BeginOf(first);  // day 0 has all that was before, too
}

absl::StatusOr<std::vector<TaggedEvent>> TieredIndex::TaggedAfter(std::string_view tenant, std::string_view tag,
                                                                  Sequence after, std::size_t limit) const {
  const EntryName name = EntryName::OfTag(tenant, tag);
  std::vector<TaggedEvent> recent;
  if (!name.valid() || limit == 0) return recent;
  Sequence reached;
  std::uint64_t dropped;
  {
    ReaderMutexLock lock(&mutex_);
    const std::optional<Sequence> last = memory_.LastTagged(name);
    if (last.has_value() && *last <= after) return recent;
    memory_.ForEachGeneration(
        [&](const IndexGeneration& generation) { generation.AppendTaggedAfter(name, after, limit, recent); });
    if (after >= in_files_) return recent;
    reached = reached_.tail.last_sequence;
    dropped = memory_.dropped();
  }
  if (database_ == nullptr) return recent;
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<TaggedEvent> events, FindTaggedAfter(*database_, name.bytes(), after, limit));
  for (const TaggedEvent& event : recent) {
    if (events.size() >= limit) break;
    if (events.empty() || IsBefore(events.back(), event)) events.push_back(event);
  }
  if (events.empty()) {
    MutexLock lock(&mutex_);
    memory_.RememberTag(name, std::min(after, reached), dropped);
  }
  return events;
}

// What is in memory is later than what is in the files, and the filling generation later than the older one.
absl::StatusOr<std::optional<TaggedEvent>> TieredIndex::LatestOf(std::string_view tenant, std::string_view type) const {
  const EntryName name = LatestName(tenant, type);
  if (!name.valid()) return std::nullopt;
  std::optional<TaggedEvent> latest;
  {
    ReaderMutexLock lock(&mutex_);
    memory_.ForEachGeneration([&](const IndexGeneration& generation) {
      if (const std::optional<TaggedEvent> found = generation.latest().Find(name); found.has_value()) latest = found;
    });
  }
  if (latest.has_value() || database_ == nullptr) return latest;
  return FindLatest(*database_, name.bytes());
}

// A generation that is in the files may still be in memory: what the files' checkpoint covers counts there alone.
absl::StatusOr<EntryCounts> TieredIndex::CountEntries(const LogTail& upto) const {
  EntryCounter counter(upto);
  std::shared_ptr<const rocksdb::Snapshot> files;
  {
    ReaderMutexLock lock(&mutex_);
    counter.LeaveOutCommandsBefore(FirstCommandDay());
    if (database_ != nullptr) {
      files = database_->TakeSnapshot();
      EVERFOLD_ASSIGN_OR_RETURN(const LogTail tail, TailOf(*database_, *files, upto.heads.size()));
      counter.LeaveOut(tail);
    }
    memory_.ForEachGeneration([&counter](const IndexGeneration& generation) { counter.Count(generation); });
  }
  counter.LeaveOutNothing();
  if (database_ != nullptr) EVERFOLD_RETURN_IF_ERROR(counter.CountFiles(*database_, *files));
  return counter.counts();
}

absl::Status TieredIndex::Add(std::string_view chunk) {
  MutexLock lock(&mutex_);
  return Take(chunk);
}

absl::Status TieredIndex::Take(std::string_view chunk) {
  in_group_ = true;
  return ChunkIntake::Take(chunk, {.reached = reached_,
                                   .memory = memory_,
                                   .types = *types_,
                                   .digester = digester_,
                                   .filter = filter_,
                                   .first_command_day = FirstCommandDay(),
                                   .database = database_.get()});
}

void TieredIndex::ExpectRecordedUntil(absl::Time time) {
  MutexLock lock(&mutex_);
  reached_.ForgetCommandsBefore(retention_.FirstDay(time));
}

void TieredIndex::CompleteGroup(Sequence last, absl::Time recorded_at) {
  TellAdded();
  bool write;
  {
    MutexLock lock(&mutex_);
    ReachTo(last, recorded_at);
    write = RotateIfLarge();
  }
  if (write) PostWrite();
}

absl::Status TieredIndex::AddGroup(absl::Span<const std::string_view> chunks, Sequence last, absl::Time recorded_at) {
  TellAdded();
  bool write;
  {
    MutexLock lock(&mutex_);
    for (const std::string_view chunk : chunks) EVERFOLD_RETURN_IF_ERROR(Take(chunk));
    ReachTo(last, recorded_at);
    write = RotateIfLarge();
  }
  if (write) PostWrite();
  return absl::OkStatus();
}

void TieredIndex::ReachTo(Sequence last, absl::Time recorded_at) {
  reached_.tail.last_sequence = last;
  reached_.tail.last_recorded_at = recorded_at;
  in_group_ = false;
}

void TieredIndex::AddWritten(const WrittenGroup& group) {
  TellAdded();
  bool write;
  {
    MutexLock lock(&mutex_);
    TakeStreams(group.streams);
    TakeCommands(group.commands);
    for (const WrittenEvent& it : group.events) memory_.filling().latest().Note(it.tenant, *types_, it.event);
    for (const auto& [partition, head] : group.heads) reached_.tail.heads[partition.value()] = head;
    ReachTo(group.last_sequence, group.last_recorded_at);
    write = RotateIfLarge();
  }
  if (write) PostWrite();
}

// Fetches ahead: a stream's places in memory are seldom in the processor's cache.
void TieredIndex::TakeStreams(const std::vector<WrittenStream>& streams) {
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < streams.size() + 2 * kAhead; ++i) {
    if (i < streams.size()) memory_.Prefetch(*streams[i].name);
    if (i >= kAhead && i - kAhead < streams.size()) memory_.heads().PrefetchSlot(*streams[i - kAhead].name);
    if (i < 2 * kAhead) continue;
    const WrittenStream& next = streams[i - 2 * kAhead];
    memory_.AddStream(*next.name, next.entry);
  }
}

void TieredIndex::TakeCommands(const std::vector<WrittenCommand>& commands) {
  for (const WrittenCommand& command : commands) {
    if (command.entry.day < FirstCommandDay()) continue;
    const CommandDigest digest = digester_.Digest(command.key.tenant, command.key.type, command.key.id);
    reached_.AddDay(command.entry.day);
    memory_.filling().AddCommand(digest, command.entry);
    filter_.Add(digest, command.entry.day, FirstCommandDay());
  }
}

bool TieredIndex::IsFull() const { return database_ != nullptr && memory_.bytes() > 3 * max_memory_bytes_; }

bool TieredIndex::full() const {
  ReaderMutexLock lock(&mutex_);
  return IsFull();
}

void TieredIndex::WhenRoom(Task resume) {
  {
    MutexLock lock(&mutex_);
    if (IsFull() && health_.ok()) return waiting_.push_back(std::move(resume));
  }
  disk_.Post(std::move(resume));
}

absl::Status TieredIndex::health() const {
  ReaderMutexLock lock(&mutex_);
  return health_;
}

// A checkpoint never stands inside a group: then nothing can be written yet.
bool TieredIndex::Rotate() {
  if (database_ == nullptr || in_group_ || memory_.older() != nullptr || !health_.ok()) return false;
  reached_.ForgetCommandsBefore(FirstCommandDay());
  older_reached_ = reached_;
  memory_.Rotate();
  return true;
}

bool TieredIndex::RotateIfLarge() { return memory_.filling().bytes() > max_memory_bytes_ && Rotate(); }

void TieredIndex::PostWrite() {
  disk_.Post([reach = reach_] {
    MutexLock lock(&reach->mutex);
    if (reach->index != nullptr) reach->index->WriteOlder();
  });
}

void TieredIndex::WriteOlder() {
  const IndexGeneration* generation;  // goes when it is written, which is here
  IndexCheckpoint reached;
  {
    ReaderMutexLock lock(&mutex_);
    if (!health_.ok()) return;
    generation = memory_.older();
    reached = older_reached_;
  }
  if (generation == nullptr) return;
  absl::Status status = WriteGeneration(*database_, *generation, reached, identity_);
  if (status.ok()) status = database_->DropCommandsBefore(reached.commands_since);
  if (idle_merging_ != nullptr) idle_merging_->Written();
  EndWrite(status);
}

void TieredIndex::EndWrite(const absl::Status& status) {
  std::unique_ptr<IndexGeneration> dropped;
  std::vector<Task> resumed;
  bool write;
  {
    MutexLock lock(&mutex_);
    health_ = status;
    if (status.ok()) {
      days_ = std::make_shared<const std::vector<Day>>(older_reached_.days);
      in_files_ = older_reached_.tail.last_sequence;
      dropped = memory_.DropOlder();
    }
    write = RotateIfLarge();
    if (!IsFull() || !status.ok()) resumed.swap(waiting_);
  }
  if (write) PostWrite();
  for (Task& resume : resumed) disk_.Post(std::move(resume));
  if (dropped == nullptr) return;
  dropped->Clear();  // while nobody waits for the lock
  MutexLock lock(&mutex_);
  memory_.Reuse(std::move(dropped));
}

void TieredIndex::Close(Task done) {
  TellAdded();
  disk_.Post([reach = reach_, done = std::move(done)]() mutable {
    {
      MutexLock lock(&reach->mutex);
      if (reach->index != nullptr) reach->index->WriteAll();
    }
    done();
  });
}

// What is read after a start, in small steps, between which others are let in to memory and to the strand. A step
// returns where the next one goes on; empty at the end.
void TieredIndex::PostSteps(Step step, std::string from) {
  disk_.Post([reach = reach_, step, from = std::move(from)] {
    MutexLock lock(&reach->mutex);
    if (reach->index == nullptr) return;
    std::string next = (reach->index->*step)(from);
    if (!next.empty()) reach->index->PostSteps(step, std::move(next));
  });
}

// Commands that come meanwhile are added as they come. If the files cannot be read the filter tells nothing, and
// whoever looks is told why.
std::string TieredIndex::FillFilter(const std::string& from) {
  constexpr std::size_t kCommandsOfStep = 4096;
  std::vector<DatedDigest> commands;
  absl::StatusOr<std::string> next = ReadCommands(*database_, from, kCommandsOfStep, commands);
  if (!next.ok()) return "";
  MutexLock lock(&mutex_);
  for (const DatedDigest& command : commands) filter_.Add(command.digest, command.day, FirstCommandDay());
  if (next->empty()) filter_.Complete();
  return filter_.gave_up() ? "" : *std::move(next);
}

// So that streams and tags that are met again are found in memory, and that new ones are known to be new. Ends where
// there is hardly any room left. No generation comes into the files meanwhile: that is done on this strand.
std::string TieredIndex::FillHeads(EntryKind kind, const std::string& from) {
  constexpr std::size_t kHeadsOfHold = 64;  // of the lock, for which appends wait
  std::vector<NameHead> read;
  absl::StatusOr<std::string> next = ReadHeads(*database_, kind, from, read);
  if (!next.ok()) return "";  // whoever looks into the files is told why
  std::size_t kept = 0;
  for (absl::Span<const NameHead> left = read; !left.empty(); left.remove_prefix(std::min(left.size(), kHeadsOfHold))) {
    MutexLock lock(&mutex_);
    kept += memory_.TakeHeads(kind, left.subspan(0, kHeadsOfHold));
  }
  if (next->empty()) {
    MutexLock lock(&mutex_);
    memory_.AllHeadsGiven(kind);
  }
  return kept < read.size() / 2 ? "" : *std::move(next);
}

void TieredIndex::WriteAll() {
  WriteOlder();
  {
    MutexLock lock(&mutex_);
    // Also without a new entry: chunks may have none, and need not be read again.
    if (reached_.tail.last_sequence > older_reached_.tail.last_sequence) Rotate();
  }
  WriteOlder();
}

}  // namespace everfold
