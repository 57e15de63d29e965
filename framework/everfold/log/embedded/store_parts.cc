#include "everfold/log/embedded/store_parts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/log/embedded/journal_recovery.h"
#include "everfold/log/embedded/journal_rewrite.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/embedded/store_identity.h"

namespace everfold {
namespace {

constexpr std::uint32_t kFirstJournalFiles = 2;

// Where an import has set the identity aside and not put it back.
absl::Status RefuseIncomplete(const Files& files, const std::string& store) {
  if (!files.Exists(IdentityAsidePath(store))) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kStoreIncomplete,
      absl::StrFormat("the store in %s is incomplete: an import into it failed, or was interrupted. Nothing in "
                      "it is of use: delete its data directory, and import again",
                      store));
}

// Where there is no identity a store was never completed, unless it has data.
absl::Status RefuseData(Files& files, const std::string& store) {
  bool has_data = files.Exists(SealedDirectory(store) + "/CURRENT") && !files.Exists(HighWaterPath(store));
  if (files.Exists(HighWaterPath(store))) {
    EVERFOLD_ASSIGN_OR_RETURN(const GroupNumber marked, HighWaterFile::HighestMark(files, HighWaterPath(store)));
    has_data = has_data || marked > 0;
  }
  if (files.Exists(JournalDirectory(store))) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool has_records, HoldsJournalRecords(files, JournalDirectory(store)));
    has_data = has_data || has_records;
  }
  return has_data ? DataLoss("the store in " + store + " has data but no identity file") : absl::OkStatus();
}

// Every part is durable before the identity is: a store whose making was cut short has none, and is made anew.
absl::Status CreateStore(const EmbeddedLogOptions& options, Files& files, StoreParts& parts) {
  const std::string& store = options.directory;
  EVERFOLD_RETURN_IF_ERROR(RefuseIncomplete(files, store));
  EVERFOLD_RETURN_IF_ERROR(RefuseData(files, store));
  EVERFOLD_RETURN_IF_ERROR(MakeJournal(files, store, parts.identity.epoch, {}, options.journal_file_bytes));
  EVERFOLD_ASSIGN_OR_RETURN(parts.sealed, SealedChunks::Open(files, SealedDirectory(store), parts.identity, true));
  return ReplaceFile(files, IdentityPath(store), EncodeIdentity(parts.identity));
}

absl::Status MissingGroups(GroupNumber last, GroupNumber known, const std::string& witness) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("groups %d to %d are missing: the journal ends with group %d, but %s says that group %d "
                               "was durable. Restore a backup, or take what is left with `salvage`",
                               last + 1, known, last, witness, known),
               {{"last_group", std::to_string(last)}, {"durable_group", std::to_string(known)}});
}

// That nothing is missing which is known to have been durable.
absl::Status CheckHighWater(const GroupLink& mark, const SealedCheckpoint& sealed, const RecoveredJournal& journal) {
  const GroupNumber last = journal.last.group;
  if (mark.group > last) return MissingGroups(last, mark.group, "the high-water file");
  if (journal.claimed_durable > last) return MissingGroups(last, journal.claimed_durable, "a later record");
  GroupLink marked = mark;
  if (mark.group == sealed.group.group) marked = sealed.group;
  if (mark.group > sealed.group.group) marked = journal.groups[mark.group - sealed.group.group - 1].link;
  if (marked == mark) return absl::OkStatus();
  return DataLoss(absl::StrFormat("group %d is not the one that the high-water file marks", mark.group));
}

// Chunks of the journal on top of the sealed ones.
class TailRecovery {
 public:
  explicit TailRecovery(StoreParts& parts) : parts_(parts) {}

  absl::Status Run(std::vector<RecoveredGroup> groups) {
    for (RecoveredGroup& group : groups) {
      for (std::string& chunk : group.chunks) EVERFOLD_RETURN_IF_ERROR(Add(group.link.group, std::move(chunk)));
      parts_.last = group.link;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Add(GroupNumber group, std::string bytes) {
    EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, CheckChunk(bytes));
    if (header.partition.value() >= parts_.identity.partitions)
      return Broken(group, header, "there is no such partition");
    PartitionHead head = parts_.tail->Head(header.partition);
    if (header.chunk_number != head.chunk_number + 1 || header.first_offset != head.offset.Next()) {
      return Broken(group, header,
                    absl::StrFormat("it does not follow chunk %d (offset %d)", head.chunk_number, head.offset.value()));
    }
    EVERFOLD_ASSIGN_OR_RETURN(const Chain chain, ChainOf(bytes, head.chain));
    if (chain != header.chain) return Broken(group, header, "its chain does not continue the one before");
    head = {header.last_offset(), header.chunk_number, header.chain};
    auto shared = std::make_shared<const std::string>(std::move(bytes));
    auto chunk = std::make_shared<TailChunk>(TailChunk{header.first_offset, head, std::move(shared)});
    parts_.tail->Append({{header.partition, std::move(chunk)}});
    return absl::OkStatus();
  }

  static absl::Status Broken(GroupNumber group, const ChunkHeader& header, const std::string& what) {
    return DataLoss(absl::StrFormat("group %d of the journal, chunk %d of partition %d: %s", group, header.chunk_number,
                                    header.partition.value(), what));
  }

  StoreParts& parts_;
};

// Files that a crash left half made, or that another setting made of another size.
absl::Status RemakeFreeFiles(const EmbeddedLogOptions& options, Files& files, JournalState& journal) {
  for (JournalFile& free : journal.free) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t size, free.file->Size());
    if (size == options.journal_file_bytes) continue;
    EVERFOLD_ASSIGN_OR_RETURN(free, MakeJournalFile(files, free.path, options.journal_file_bytes));
  }
  return absl::OkStatus();
}

absl::Status LoadStore(const EmbeddedLogOptions& options, Files& files, StoreParts& parts) {
  const std::string& store = options.directory;
  EVERFOLD_ASSIGN_OR_RETURN(parts.sealed, SealedChunks::Open(files, SealedDirectory(store), parts.identity, false));
  absl::StatusOr<std::unique_ptr<HighWaterFile>> high_water =
      HighWaterFile::Open(files, HighWaterPath(store), parts.identity.epoch);
  if (absl::IsNotFound(high_water.status())) return DataLoss("the store in " + store + " has no high-water file");
  EVERFOLD_RETURN_IF_ERROR(high_water.status());
  parts.high_water = *std::move(high_water);

  const SealedCheckpoint sealed = parts.sealed->checkpoint();
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(JournalDirectory(store)));
  EVERFOLD_RETURN_IF_ERROR(FinishRewriting(files, store, parts.identity.epoch));
  EVERFOLD_ASSIGN_OR_RETURN(RecoveredJournal journal, RecoverJournal(files, JournalDirectory(store), sealed.group,
                                                                     JournalKeyOf(parts.identity.key)));
  EVERFOLD_RETURN_IF_ERROR(CheckHighWater(parts.high_water->mark(), sealed, journal));
  // What was read may never have reached the disk: a failed sync, or the death of the process before it, leaves it in
  // the page cache alone, where even a sync that succeeds now need not write it. Written again, it does.
  EVERFOLD_RETURN_IF_ERROR(
      RewriteRecords(files, store, parts.identity.epoch, journal.groups, parts.high_water->mark().group));

  parts.last = sealed.group;
  parts.tail = std::make_unique<Tail>(sealed.heads);
  parts.journal = std::move(journal.state);
  EVERFOLD_RETURN_IF_ERROR(TailRecovery(parts).Run(std::move(journal.groups)));
  EVERFOLD_RETURN_IF_ERROR(RemakeFreeFiles(options, files, parts.journal));
  // Whoever made a file here may have died before its name was durable.
  return files.SyncDirectory(JournalDirectory(store));
}

absl::StatusOr<LogIdentity> FindIdentity(const EmbeddedLogOptions& options, Files& files, RandomSource& random,
                                         bool& found) {
  const absl::StatusOr<std::string> bytes = ReadFile(files, IdentityPath(options.directory));
  found = !absl::IsNotFound(bytes.status());
  if (!found) return NewIdentity(options.partitions, random);
  EVERFOLD_RETURN_IF_ERROR(bytes.status());
  EVERFOLD_ASSIGN_OR_RETURN(LogIdentity identity, DecodeIdentity(*bytes));
  EVERFOLD_RETURN_IF_ERROR(CheckPartitions(identity, options.partitions));
  return identity;
}

}  // namespace

std::string JournalDirectory(const std::string& store) { return store + "/journal"; }
std::string SealedDirectory(const std::string& store) { return store + "/sealed"; }
std::string HighWaterPath(const std::string& store) { return store + "/high-water"; }
std::string IdentityPath(const std::string& store) { return store + "/identity"; }
std::string IdentityAsidePath(const std::string& store) { return IdentityPath(store) + ".aside"; }

absl::Status MakeJournal(Files& files, const std::string& store, const Epoch& epoch, const GroupLink& last,
                         std::size_t journal_file_bytes) {
  EVERFOLD_RETURN_IF_ERROR(files.RemoveAll(JournalDirectory(store)));
  EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(JournalDirectory(store)));
  for (std::uint32_t number = 0; number < kFirstJournalFiles; ++number) {
    EVERFOLD_RETURN_IF_ERROR(
        MakeJournalFile(files, JournalFilePath(JournalDirectory(store), number), journal_file_bytes).status());
  }
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<HighWaterFile> high_water,
                            HighWaterFile::Create(files, HighWaterPath(store), epoch));
  if (last.group > 0) EVERFOLD_RETURN_IF_ERROR(high_water->Write(last));
  return files.SyncDirectory(store);
}

absl::StatusOr<StoreParts> OpenStore(const EmbeddedLogOptions& options, Files& files, RandomSource& random) {
  StoreParts parts;
  if (&files == &PosixFiles()) {
    EVERFOLD_ASSIGN_OR_RETURN(parts.holder, StoreDirectory::Claim(options.directory));
  } else {
    EVERFOLD_RETURN_IF_ERROR(files.MakeDirectory(options.directory));
  }
  bool found = false;
  EVERFOLD_ASSIGN_OR_RETURN(parts.identity, FindIdentity(options, files, random, found));
  if (!found) {
    EVERFOLD_RETURN_IF_ERROR(CreateStore(options, files, parts));
    parts.sealed = nullptr;  // closed, to be opened as any other store
  }
  EVERFOLD_RETURN_IF_ERROR(LoadStore(options, files, parts));
  return parts;
}

}  // namespace everfold
