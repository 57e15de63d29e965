#include "everfold/app/verify.h"

#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/app/host.h"
#include "everfold/app/print_error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"
#include "everfold/store/event_store.h"

namespace everfold {
namespace {

void Add(const Chunk& chunk, PartitionCounts& counts) {
  counts.events += chunk.header.event_count;
  counts.commits += chunk.header.commit_count;
  for (const Commit& commit : chunk.commits) {
    for (const StreamEvents& stream : commit.streams) counts.streams += stream.first_version == Version(1);
  }
}

absl::StatusOr<PartitionCounts> CountPartition(const PartitionLog& log, PartitionId partition) {
  PartitionCounts counts{.partition = partition};
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor, log.Read(partition, Offset()));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool has_chunk, cursor->Next());
    if (!has_chunk) return counts;
    EVERFOLD_ASSIGN_OR_RETURN(const Chunk chunk, DecodeChunk(cursor->chunk()));
    Add(chunk, counts);
  }
}

absl::StatusOr<std::vector<PartitionCounts>> VerifyStore(Host& host) {
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<EventStore> store,
      EventStore::Open(EventStoreOptions(), host.log(), host.executor(), host.clock(), host.random()));
  absl::StatusOr<std::vector<PartitionCounts>> counts = CountPartitions(host.log());
  WaitForClose([&store](Task done) { store->Close(std::move(done)); });
  return counts;
}

}  // namespace

absl::StatusOr<std::vector<PartitionCounts>> CountPartitions(const PartitionLog& log) {
  std::vector<PartitionCounts> partitions;
  for (std::uint32_t i = 0; i < log.identity().partitions; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(PartitionCounts counts, CountPartition(log, PartitionId(i)));
    partitions.push_back(counts);
  }
  return partitions;
}

std::string FormatCounts(const std::vector<PartitionCounts>& counts) {
  std::string table = absl::StrFormat("%9s %12s %12s %12s\n", "partition", "events", "commits", "streams");
  PartitionCounts sum;
  for (const PartitionCounts& partition : counts) {
    sum.events += partition.events;
    sum.commits += partition.commits;
    sum.streams += partition.streams;
    if (partition.commits == 0) continue;
    absl::StrAppendFormat(&table, "%9d %12d %12d %12d\n", partition.partition.value(), partition.events,
                          partition.commits, partition.streams);
  }
  absl::StrAppendFormat(&table, "%9s %12d %12d %12d\n", "all", sum.events, sum.commits, sum.streams);
  return table;
}

ExitCode Verify(const std::string& app, const CommandLine& line) {
  auto host = Host::Open({.data_directory = line.data_directory, .create = false});
  absl::Status status = host.status();
  if (status.ok()) {
    const auto counts = VerifyStore(**host);
    if (counts.ok()) absl::PrintF("%s%s is undamaged\n", FormatCounts(*counts), line.data_directory);
    status = counts.status();
    status.Update((*host)->Close());
  }
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold
