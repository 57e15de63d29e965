#include "everfold/store/index/index_opening.h"

#include <rocksdb/db.h>

#include <utility>

#include "everfold/base/status.h"
#include "everfold/log/files/rocks_iterator.h"
#include "everfold/store/index/generation_writer.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/index/index_generation.h"

namespace everfold {
namespace {

absl::Status CheckIdentity(const IndexDatabase& database, const LogIdentity& log) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<std::string> identity,
                            database.Get(EntryKind::kCheckpoint, kIdentityKey));
  if (!identity.has_value()) return database.Damaged("there is no identity");
  return CheckIndexIdentity(*identity, log);
}

absl::StatusOr<IndexCheckpoint> ReadCheckpoint(const IndexDatabase& database, std::uint32_t partitions) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<std::string> checkpoint,
                            database.Get(EntryKind::kCheckpoint, kCheckpointKey));
  if (!checkpoint.has_value()) return database.Damaged("there is no checkpoint");
  return DecodeCheckpoint(*checkpoint, partitions);
}

absl::Status ReadTypes(const IndexDatabase& database, std::uint32_t partitions, TypeDictionary& types) {
  const std::unique_ptr<rocksdb::Iterator> entries = database.NewIterator(EntryKind::kTypes, IteratorOptions());
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    TypeEntry entry;
    if (!DecodeType(entries->key().ToStringView(), entries->value().ToStringView(), entry) ||
        entry.partition.value() >= partitions) {
      return database.Damaged("a type definition does not decode");
    }
    EVERFOLD_RETURN_IF_ERROR(types.Define(entry.partition, entry.definition));
  }
  return database.StatusOf(entries->status(), "read");
}

absl::Status ReadExisting(const StoreIndexOptions& options, const LogIdentity& log, OpenedIndex& index) {
  EVERFOLD_ASSIGN_OR_RETURN(index.database,
                            IndexDatabase::Open(*options.files, options.directory, options.cache_bytes));
  EVERFOLD_RETURN_IF_ERROR(CheckIdentity(*index.database, log));
  EVERFOLD_ASSIGN_OR_RETURN(index.checkpoint, ReadCheckpoint(*index.database, log.partitions));
  return ReadTypes(*index.database, log.partitions, *index.types);
}

// An index is only a projection: what does not fit is built again. What only failed, may be there another time.
bool BeginsAnew(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsDataLoss(status) || absl::IsFailedPrecondition(status);
}

absl::Status CreateEmpty(const StoreIndexOptions& options, const LogIdentity& log, OpenedIndex& index) {
  index.database.reset();  // its files go
  EVERFOLD_ASSIGN_OR_RETURN(index.database,
                            IndexDatabase::Create(*options.files, options.directory, options.cache_bytes));
  index.types = std::make_unique<TypeDictionary>(log.partitions);
  index.checkpoint = EmptyIndex(log).checkpoint;
  return WriteGeneration(*index.database, IndexGeneration(), index.checkpoint, EncodeIndexIdentity(log));
}

}  // namespace

OpenedIndex EmptyIndex(const LogIdentity& log) {
  OpenedIndex index;
  index.types = std::make_unique<TypeDictionary>(log.partitions);
  index.checkpoint.tail.heads.resize(log.partitions);
  return index;
}

absl::StatusOr<OpenedIndex> OpenIndexDirectory(const StoreIndexOptions& options, const LogIdentity& log,
                                               std::string& began_anew) {
  EVERFOLD_RETURN_IF_ERROR(options.files->MakeDirectory(options.directory));
  OpenedIndex index = EmptyIndex(log);
  EVERFOLD_ASSIGN_OR_RETURN(index.lock, DirectoryLock::Take(options.files->ForRocksDb(), options.directory));
  const absl::Status status = ReadExisting(options, log, index);
  began_anew = std::string(status.message());
  if (status.ok()) return index;
  if (!BeginsAnew(status)) return status;
  EVERFOLD_RETURN_IF_ERROR(CreateEmpty(options, log, index));
  return index;
}

}  // namespace everfold
