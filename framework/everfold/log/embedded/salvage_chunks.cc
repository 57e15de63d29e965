#include "everfold/log/embedded/salvage_chunks.h"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/log/embedded/high_water.h"
#include "everfold/log/embedded/journal_recovery.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

bool Follows(std::string_view bytes, PartitionId partition, const PartitionHead& at) {
  const absl::StatusOr<ChunkHeader> header = CheckChunk(bytes);
  if (!header.ok() || header->partition != partition || header->chunk_number != at.chunk_number + 1 ||
      header->first_offset != at.offset.Next()) {
    return false;
  }
  const absl::StatusOr<Chain> chain = ChainOf(bytes, at.chain);
  return chain.ok() && *chain == header->chain;
}

}  // namespace

SalvageChunks::SalvageChunks(Files& files, std::string store, const LogIdentity& identity)
    : files_(files),
      store_(std::move(store)),
      identity_(identity),
      env_(rocksdb::NewCompositeEnv(files.ForRocksDb())),
      options_(std::make_unique<rocksdb::Options>()),
      last_known_(identity.partitions) {
  options_->env = env_.get();
  checkpoint_.heads.resize(identity.partitions);
}

SalvageChunks::~SalvageChunks() = default;

absl::Status SalvageChunks::Find() {
  EVERFOLD_RETURN_IF_ERROR(FindSealed());
  for (std::size_t i = 0; i < last_known_.size(); ++i) {
    last_known_[i] = std::max(last_known_[i], checkpoint_.heads[i].chunk_number);
  }
  FindJournal();
  return absl::OkStatus();
}

absl::Status SalvageChunks::FindSealed() {
  const std::string directory = SealedDirectory(store_);
  if (!files_.Exists(directory)) {
    notes_.push_back(directory + " is missing");
    return absl::OkStatus();
  }
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory));
  for (const std::string& name : names) {
    if (name.ends_with(".sst")) LookInto(directory + "/" + name);
  }
  return absl::OkStatus();
}

std::unique_ptr<rocksdb::SstFileReader> SalvageChunks::OpenFile(const std::string& path, std::string& why) const {
  auto reader = std::make_unique<rocksdb::SstFileReader>(*options_);
  const rocksdb::Status status = reader->Open(path);
  if (status.ok()) return reader;
  why = status.ToString();
  return nullptr;
}

// A file with chunks, or with a checkpoint, of which the newest one counts.
void SalvageChunks::LookInto(const std::string& path) {
  std::string why;
  const std::unique_ptr<rocksdb::SstFileReader> reader = OpenFile(path, why);
  if (reader == nullptr) return notes_.push_back(path + " cannot be read: " + why);
  const std::unique_ptr<rocksdb::Iterator> at(reader->NewIterator(rocksdb::ReadOptions()));
  at->SeekToLast();
  std::optional<ChunkKey> last = at->Valid() ? DecodeChunkKey(View(at->key())) : std::nullopt;
  if (at->Valid() && !last.has_value()) {
    const auto checkpoint = DecodeSealedCheckpoint(View(at->value()), identity_.epoch, identity_.partitions);
    if (!checkpoint.ok()) return notes_.push_back(absl::StrFormat("%s: %s", path, checkpoint.status().message()));
    if (checkpoint->group.group >= checkpoint_.group.group) checkpoint_ = *checkpoint;
    return;
  }
  at->SeekToFirst();
  std::optional<ChunkKey> first = at->Valid() ? DecodeChunkKey(View(at->key())) : std::nullopt;
  if (!first.has_value() && !last.has_value()) return notes_.push_back(path + " cannot be read");
  if (!first.has_value()) first = ChunkKey{last->partition, Offset(), 0};
  if (!last.has_value()) last = ChunkKey{first->partition, Offset::Max(), first->chunk_number};
  sealed_.push_back({path, *first, *last});
  for (const ChunkKey& key : {*first, *last}) {
    if (key.partition.value() >= last_known_.size()) continue;
    std::uint64_t& known = last_known_[key.partition.value()];
    known = std::max(known, key.chunk_number);
  }
}

// Records are taken by their links, from the newest checkpoint on: others may never have been durable.
void SalvageChunks::FindJournal() {
  const absl::StatusOr<RecoveredJournal> journal =
      RecoverJournal(files_, JournalDirectory(store_), checkpoint_.group, JournalKeyOf(identity_.key));
  if (!journal.ok()) return notes_.push_back(absl::StrFormat("the journal: %s", journal.status().message()));
  for (const RecoveredGroup& group : journal->groups) {
    for (const std::string& chunk : group.chunks) {
      const absl::StatusOr<ChunkHeader> header = CheckChunk(chunk);
      if (!header.ok() || header->partition.value() >= last_known_.size()) continue;
      journal_.emplace(std::pair(header->partition.value(), header->chunk_number), chunk);
      std::uint64_t& known = last_known_[header->partition.value()];
      known = std::max(known, header->chunk_number);
    }
  }
  const absl::StatusOr<GroupNumber> mark = HighWaterFile::HighestMark(files_, HighWaterPath(store_));
  const GroupNumber durable = std::max(journal->claimed_durable, mark.ok() ? *mark : 0);
  if (durable > journal->last.group) {
    notes_.push_back(absl::StrFormat("groups %d to %d of the journal are lost", journal->last.group + 1, durable));
  }
}

bool SalvageChunks::HadMore(PartitionId partition, const PartitionHead& at) const {
  return last_known_[partition.value()] > at.chunk_number;
}

std::optional<std::string> SalvageChunks::Next(PartitionId partition, const PartitionHead& at) {
  if (!HadMore(partition, at)) return std::nullopt;
  std::optional<std::string> sealed = NextSealed(partition, at);
  if (sealed.has_value()) return sealed;
  const auto found = journal_.find({partition.value(), at.chunk_number + 1});
  if (found == journal_.end() || !Follows(found->second, partition, at)) return std::nullopt;
  return found->second;
}

// Mostly the next one in the file that is being walked; else it may be in any that has chunks from there on.
std::optional<std::string> SalvageChunks::NextSealed(PartitionId partition, const PartitionHead& at) {
  Walk& walk = walks_[partition.value()];
  if (walk.at != nullptr && walk.at->Valid()) {
    walk.at->Next();
    std::optional<std::string> next = FromWalk(walk, partition, at);
    if (next.has_value()) return next;
  }
  const ChunkKey wanted{partition, at.offset, at.chunk_number + 1};
  for (const SealedFile& file : sealed_) {
    const bool may_have = file.first.partition <= partition && file.last.partition >= partition &&
                          (file.last.partition > partition || file.last.last_offset >= at.offset);
    if (!may_have) continue;
    walk.at = nullptr;
    std::string why;
    walk.reader = OpenFile(file.path, why);
    if (walk.reader == nullptr) continue;
    walk.at.reset(walk.reader->NewIterator(rocksdb::ReadOptions()));
    walk.at->Seek(EncodeChunkKey(wanted));
    std::optional<std::string> next = FromWalk(walk, partition, at);
    if (next.has_value()) return next;
  }
  walk.at = nullptr;
  return std::nullopt;
}

std::optional<std::string> SalvageChunks::FromWalk(Walk& walk, PartitionId partition, const PartitionHead& at) const {
  if (!walk.at->Valid() || !Follows(View(walk.at->value()), partition, at)) return std::nullopt;
  return std::string(View(walk.at->value()));
}

}  // namespace everfold
