// Reading of chunks from RocksDB.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "everfold/log/embedded/chunk_key.h"
#include "everfold/log/partition_log.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace everfold {

// The head that the partition's last chunk leaves; {0, 0} without one. DATA_LOSS if that chunk's header does not say
// what its key says.
absl::StatusOr<PartitionHead> RecoverHead(rocksdb::DB& database, PartitionId partition);

// A cursor that trusts nothing: chunks must be dense from `after` to the head that `head` reports, whatever RocksDB
// says about an end. `head` is called on the cursor's thread.
std::unique_ptr<ChunkCursor> ReadChunks(rocksdb::DB& database, PartitionId partition, Offset after,
                                        absl::AnyInvocable<PartitionHead()> head);

}  // namespace everfold
