#include "everfold/store/store_index.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/store/index/index_opening.h"
#include "everfold/store/index/tiered_index.h"

namespace everfold {

CommitPlace PlaceOf(const ChunkHeader& chunk, const CommitView& commit) {
  return {.partition = chunk.partition,
          .after = Offset(commit.first_offset.value() - 1),
          .chunk_number = commit.event_count > 0 ? 0 : chunk.chunk_number,
          .sequence = commit.sequence};
}

absl::StatusOr<std::unique_ptr<StoreIndex>> StoreIndex::Open(StoreIndexOptions options, const LogIdentity& log,
                                                             Strand& disk, std::string& began_anew) {
  began_anew.clear();
  if (options.directory.empty()) return std::make_unique<TieredIndex>(options, log, EmptyIndex(log), disk);
  EVERFOLD_ASSIGN_OR_RETURN(OpenedIndex opened, OpenIndexDirectory(options, log, began_anew));
  return std::make_unique<TieredIndex>(options, log, std::move(opened), disk);
}

absl::StatusOr<Version> StoreIndex::VersionOf(const StreamId& stream) const {
  return VersionOf(EntryName::OfStream(stream.tenant, stream.aggregate, stream.id));
}

}  // namespace everfold
