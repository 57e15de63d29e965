#include "tests/fault/damaged_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"
#include "everfold/log/embedded/journal_recovery.h"
#include "everfold/log/embedded/journal_rewrite.h"
#include "everfold/log/embedded/sealed_chunks.h"
#include "everfold/log/embedded/store_identity.h"
#include "everfold/log/embedded/store_parts.h"
#include "tests/simulation/store_on_disk.h"

namespace everfold {
namespace {

constexpr char kStore[] = "/store";
constexpr char kIndex[] = "/index";

// The tail stays unsealed over several files of the journal.
void Configure(StoreOnDisk& store) {
  store.log_options().seal_files = 3;
  store.log_options().max_journal_files = 8;
  store.store_options().index.max_memory_bytes = 4 << 10;
}

void Append(StoreOnDisk& store, int appends) {
  for (int i = 0; i < appends; ++i) {
    store.Send(RandomAppend(store.random(), store.ledger().size()));
    if (i % 3 == 0) EVERFOLD_CHECK(store.Settle());
  }
  EVERFOLD_CHECK(store.Settle());
  store.executor().Advance(absl::Milliseconds(20));
}

// Which files of the ring hold groups that are not sealed. On a copy: opening changes what RocksDB keeps.
std::set<std::string> JournalFilesInUse(const FaultyDisk& disk) {
  const std::unique_ptr<FaultyDisk> copy = disk.Copy();
  const absl::StatusOr<LogIdentity> identity = DecodeIdentity(ReadFile(*copy, IdentityPath(kStore)).value());
  const auto sealed = SealedChunks::Open(*copy, SealedDirectory(kStore), identity.value(), false);
  const auto journal =
      RecoverJournal(*copy, JournalDirectory(kStore), sealed.value()->checkpoint().group, JournalKeyOf(identity->key));
  std::set<std::string> paths;
  for (const JournalSegment& segment : journal.value().state.segments) paths.insert(segment.file.path);
  return paths;
}

std::string KindInRocksDb(const std::string& name, const std::string& bytes) {
  if (absl::EndsWith(name, ".sst")) return absl::StrContains(bytes, "checkpoint") ? "SST of the checkpoint" : "SST";
  if (absl::EndsWith(name, ".log")) return "WAL";
  return name.substr(0, name.find('-'));
}

std::string KindOf(const std::string& path, const std::string& bytes, const std::set<std::string>& in_use) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (absl::StartsWith(path, SealedDirectory(kStore) + "/")) return "sealed " + KindInRocksDb(name, bytes);
  if (absl::StartsWith(path, absl::StrCat(kIndex, "/"))) return "index " + KindInRocksDb(name, bytes);
  if (!absl::StartsWith(path, JournalDirectory(kStore) + "/")) return name;
  if (in_use.contains(path)) return "journal file in use";
  const bool zeros = bytes.find_first_not_of('\0') == std::string::npos;
  return zeros ? "journal file never used" : "journal file of sealed groups";
}

std::map<std::string, std::string> FilesOf(FaultyDisk& disk) {
  std::map<std::string, std::string> files;
  for (const std::string& path : disk.AllFiles()) files[path] = ReadFile(disk, path).value();
  return files;
}

bool IsOwnFile(const std::string& path) {
  return absl::StartsWith(path, absl::StrCat(kStore, "/")) && !absl::StrContains(path, "/sealed");
}

// What the log says it does when it refuses: it leaves its own files alone.
bool OwnFilesChanged(const std::map<std::string, std::string>& before,
                     const std::map<std::string, std::string>& after) {
  return std::any_of(before.begin(), before.end(), [&after](const auto& file) {
    const auto now = after.find(file.first);
    return IsOwnFile(file.first) && (now == after.end() || now->second != file.second);
  });
}

bool NamesThePart(const absl::Status& status) {
  static const char* const parts[] = {"the store has", "identity", "high-water", "journal", "sealed",
                                      "partition",     "index",    "group",      "commit"};
  return std::any_of(std::begin(parts), std::end(parts),
                     [&status](const char* part) { return absl::StrContains(std::string(status.message()), part); });
}

Judgement Refused(const absl::Status& status, bool opened) {
  const bool right_code = absl::IsDataLoss(status) || (absl::IsFailedPrecondition(status) && !opened);
  if (!right_code || !NamesThePart(status)) return {Outcome::kWrongWord, status.ToString()};
  return {opened ? Outcome::kFound : Outcome::kRefused, status.ToString()};
}

// Appends something, and opens the store anew after a crash.
std::optional<std::string> GoOn(StoreOnDisk& store, const StoreNames& names, StoreContents contents) {
  AppendRequest request;
  NewEvent event;
  event.type = "jar.v1.Filled";
  event.payload = "further";
  request.streams = {{.stream = {"", "jar", "further"}, .events = {event}}};
  const SentAppend& sent = store.Send(std::move(request));
  if (!store.Settle() || !sent.acknowledged.has_value()) return "an append fails: " + sent.refused.ToString();
  store.Die();
  if (const absl::Status opened = store.Open(); !opened.ok()) return "after an append: " + opened.ToString();
  absl::StatusOr<StoreContents> after = ReadContents(store.store(), names);
  if (!after.ok()) return "after an append: " + after.status().ToString();
  if (after->commits.erase(sent.acknowledged->sequence) != 1) return "a further append is lost";
  return *after == contents ? std::nullopt : std::optional<std::string>("it is different after an append");
}

}  // namespace

IntactStore MakeIntactStore(std::uint64_t seed) {
  IntactStore intact;
  intact.disk = std::make_unique<FaultyDisk>();
  StoreOnDisk store(seed, *intact.disk);
  Configure(store);
  EVERFOLD_CHECK(store.Open().ok());
  Append(store, 150);
  EVERFOLD_CHECK(store.SealAll().ok());
  intact.earlier.push_back(intact.disk->Copy());
  Append(store, 60);
  store.Close();
  EVERFOLD_CHECK(store.Open().ok());
  Append(store, 60);
  intact.earlier.insert(intact.earlier.begin(), intact.disk->Copy());
  Append(store, 200);
  intact.earlier.insert(intact.earlier.begin(), intact.disk->Copy());
  Append(store, 25);
  intact.names = store.ledger().names();
  intact.contents = ReadContents(store.store(), intact.names).value();
  store.ledger().Check(intact.contents);
  EVERFOLD_CHECK(store.ledger().violations().empty());
  store.Close();
  const std::set<std::string> in_use = JournalFilesInUse(*intact.disk);
  for (const auto& [path, bytes] : FilesOf(*intact.disk)) intact.kinds[path] = KindOf(path, bytes, in_use);
  return intact;
}

IntactStore MakeStoreInRewriting(std::uint64_t seed) {
  IntactStore cut;
  FaultyDisk disk;
  StoreOnDisk store(seed, disk);
  Configure(store);
  EVERFOLD_CHECK(store.Open().ok());
  for (std::size_t i = 0; i < 8; ++i) store.Send(RandomAppend(store.random(), i));
  EVERFOLD_CHECK(store.Settle());
  cut.names = store.ledger().names();
  cut.contents = ReadContents(store.store(), cut.names).value();
  store.Die();
  for (std::uint64_t n = 1; !disk.Exists(RewritePath(kStore)); ++n) {
    disk.FailFrom(n, DiskFault::kIoError, FaultTimes::kForever);
    EVERFOLD_CHECK(!store.Open().ok());
    store.Die();
  }
  cut.disk = disk.Copy();
  cut.kinds[RewritePath(kStore)] = "records being rewritten";
  return cut;
}

Judgement Judge(const IntactStore& intact, FaultyDisk& disk) {
  const std::map<std::string, std::string> before = FilesOf(disk);
  StoreOnDisk store(1, disk);
  Configure(store);
  if (const absl::Status opened = store.Open(); !opened.ok()) {
    store.Die();
    if (OwnFilesChanged(before, FilesOf(disk))) return {Outcome::kWrongWord, "it was refused, and changed"};
    return Refused(opened, false);
  }
  const absl::StatusOr<StoreContents> contents = ReadContents(store.store(), intact.names);
  if (!contents.ok()) return Refused(contents.status(), true);
  if (*contents != intact.contents) return {Outcome::kSilent, "it is different"};
  const std::optional<std::string> wrong = GoOn(store, intact.names, *contents);
  return wrong.has_value() ? Judgement{Outcome::kSilent, *wrong} : Judgement{Outcome::kHarmless, ""};
}

}  // namespace everfold
