#include "tests/fault/power_cycles.h"

#include "everfold/base/check.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

// More than one opening and its work take, so that some work is never interrupted by anything but the loss itself.
constexpr std::uint64_t kMaxOperations = 160;
constexpr int kActions = 30;

struct RecordPlace {
  std::string path;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;  // without padding
  GroupNumber group = 0;
};

void FindLast(const std::string& path, const std::string& bytes, JournalKey key, RecordPlace& last) {
  std::uint64_t position = 0;
  while (position < bytes.size()) {
    const std::optional<JournalRecord> record = DecodeJournalRecord(bytes, position, key);
    if (record.has_value() && record->link.group > last.group) {
      std::uint64_t used = kJournalRecordHeaderBytes;
      for (const std::string_view chunk : record->chunks) used += sizeof(std::uint32_t) + chunk.size();
      last = {path, position, used, record->link.group};
    }
    position += record.has_value() ? record->bytes : kJournalAlignment;
  }
}

}  // namespace

PowerCycles::PowerCycles(std::uint64_t seed, FaultyDisk& disk, Files& files, bool paranoid)
    : disk_(disk), store_(seed, files), random_(store_.random()) {
  EmbeddedLogOptions& log = store_.log_options();
  log.partitions = static_cast<std::uint32_t>(1 + random_.Below(4));
  log.paranoid = paranoid;
  log.max_journal_files = 3 + random_.Below(4);
  log.seal_files = 1 + random_.Below(2);
  EventStoreOptions& store = store_.store_options();
  store.max_group_commits = 1 + random_.Below(8);
  store.index.max_memory_bytes = (std::size_t{1} << random_.Below(7)) << 10;
  Reopen();
}

void PowerCycles::Cycle() {
  // The power may go while the store is being opened, too.
  const bool opens_first = random_.Below(2) == 0;
  if (opens_first) store_.Die();
  disk_.FailFrom(1 + random_.Below(kMaxOperations), DiskFault::kIoError, FaultTimes::kForever);
  if (!opens_first || store_.Open().ok()) Work();
  store_.CollectAnswers();
  disk_.LosePower(random_);
  store_.Die();
  disk_.Restore();
  Reopen();
}

void PowerCycles::Work() {
  for (int i = 0; i < kActions && store_.store().health().ok(); ++i) Act();
}

void PowerCycles::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 60) {
    store_.Send(RandomAppend(random_, ledger().size()));
  } else if (choice < 90) {
    store_.RunSteps(random_.Below(40));
  } else if (choice < 97) {
    store_.executor().Advance(absl::Milliseconds(random_.Below(30)));
  } else {
    store_.log().SealAll([](absl::Status) {});
  }
}

void PowerCycles::Reopen() {
  absl::Status status = store_.Open();
  if (status.ok()) status = store_.Check();
  if (!status.ok()) ledger().Report(status.ToString());
}

std::unique_ptr<FaultyDisk> DamageLastGroup(const FaultyDisk& disk, RandomSource& random) {
  std::unique_ptr<FaultyDisk> damaged = disk.Copy();
  const auto identity = ReadFile(*damaged, IdentityPath("/store"));
  if (!identity.ok()) return nullptr;
  const JournalKey key = JournalKeyOf(DecodeIdentity(*identity)->key);
  RecordPlace last;
  for (const std::string& path : damaged->AllFiles()) {
    if (path.starts_with(JournalDirectory("/store"))) FindLast(path, ReadFile(*damaged, path).value(), key, last);
  }
  if (last.group == 0) return nullptr;
  damaged->FlipBit(last.path, last.position + random.Below(last.bytes), static_cast<unsigned>(random.Below(8)));
  return damaged;
}

}  // namespace everfold
