#include "tests/simulation/store_on_disk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "everfold/base/status.h"
#include "everfold/testing/opening_strand.h"

namespace everfold {
namespace {

constexpr int kStreams = 6;
// Far more than anything takes: beyond it the store turns in a circle.
constexpr int kMaxSteps = 200'000;

StreamExpectation RandomExpectation(RandomSource& random) {
  switch (random.Below(8)) {
    case 0:
      return StreamExpectation::NoStream();
    case 1:
      return StreamExpectation::Exists();
    case 2:
      return StreamExpectation::Exact(Version(random.Below(20)));
    default:
      return StreamExpectation::Any();
  }
}

StreamAppend RandomStreamAppend(RandomSource& random) {
  StreamAppend stream{.stream = {"", "jar", absl::StrCat("j", random.Below(kStreams))},
                      .expectation = RandomExpectation(random),
                      .events = {}};
  const std::uint64_t events = 1 + random.Below(4);
  for (std::uint64_t e = 0; e < events; ++e) {
    NewEvent event;
    event.type = random.Below(2) == 0 ? "jar.v1.Filled" : absl::StrCat("jar.v1.Emptied", random.Below(5));
    if (random.Below(4) == 0) event.tags = {"color:red", absl::StrCat("size:", random.Below(3))};
    stream.events.push_back(std::move(event));
  }
  return stream;
}

}  // namespace

AppendRequest RandomAppend(RandomSource& random, std::size_t number) {
  AppendRequest request;
  if (random.Below(3) == 0) request.command = {"jar.v1.Fill", absl::StrCat("r", number), "fingerprint"};
  const std::uint64_t streams = random.Below(5) == 0 ? 1 + random.Below(3) : 1;
  for (std::uint64_t i = 0; i < streams; ++i) {
    StreamAppend stream = RandomStreamAppend(random);
    const bool known = std::any_of(request.streams.begin(), request.streams.end(),
                                   [&stream](const StreamAppend& other) { return other.stream == stream.stream; });
    if (!known) request.streams.push_back(std::move(stream));
  }
  return request;
}

StoreOnDisk::StoreOnDisk(std::uint64_t seed, Files& files)
    : random_(seed), executor_(std::make_unique<ManualExecutor>(seed)) {
  log_options_.directory = "/store";
  log_options_.partitions = 3;
  log_options_.reserved_bytes = 1000;
  log_options_.journal_file_bytes = 8 << 10;
  log_options_.max_journal_files = 4;
  log_options_.seal_files = 1;
  log_options_.files = &files;
  log_options_.make_strand = [this](const std::string&) { return executor_->MakeStrand(); };
  store_options_.max_group_commits = 4;
  store_options_.min_group_commits = 2;
  store_options_.index.files = &files;
  store_options_.index.directory = "/index";
  store_options_.index.max_memory_bytes = 64 << 10;
  store_options_.make_index_strand = [this] {
    return std::make_unique<testing::OpeningStrand>(executor_->MakeStrand(), opening_);
  };
}

StoreOnDisk::~StoreOnDisk() { Die(); }

absl::Status StoreOnDisk::Open() {
  EVERFOLD_ASSIGN_OR_RETURN(log_, EmbeddedLog::Open(log_options_, *executor_, random_));
  opening_ = true;
  absl::StatusOr<std::unique_ptr<EventStore>> store =
      EventStore::Open(store_options_, *log_, *executor_, executor_->clock(), random_);
  opening_ = false;
  EVERFOLD_RETURN_IF_ERROR(store.status());
  store_ = *std::move(store);
  return absl::OkStatus();
}

SentAppend& StoreOnDisk::Send(AppendRequest request) {
  SentAppend& sent = ledger_.Add(std::move(request));
  SendAgain(sent);
  return sent;
}

void StoreOnDisk::SendAgain(SentAppend& sent) {
  auto answer = std::make_shared<std::optional<absl::StatusOr<AppendResult>>>();
  attempts_.push_back({&sent, answer});
  store_->Append(sent.request, [answer](absl::StatusOr<AppendResult> result) { *answer = std::move(result); });
}

bool StoreOnDisk::IsOutstanding(const SentAppend& sent) const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [&sent](const Attempt& attempt) { return attempt.sent == &sent; });
}

void StoreOnDisk::CollectAnswers() {
  std::erase_if(attempts_, [this](const Attempt& attempt) {
    if (!attempt.answer->has_value()) return false;
    ledger_.OnAnswer(*attempt.sent, **attempt.answer);
    return true;
  });
}

void StoreOnDisk::RunSteps(std::uint64_t count) {
  while (count-- > 0 && executor_->RunOne()) continue;
}

bool StoreOnDisk::RunUntil(const char* what, absl::AnyInvocable<bool()> done) {
  int steps = 0;
  const bool ended = executor_->RunUntil([&] { return done() || ++steps > kMaxSteps; }) && steps <= kMaxSteps;
  if (!ended) ledger_.Report(absl::StrCat(what, steps > kMaxSteps ? " turns in a circle" : " never ends"));
  return ended;
}

bool StoreOnDisk::Settle() {
  return RunUntil("an append", [this] {
    CollectAnswers();
    return attempts_.empty();
  });
}

absl::Status StoreOnDisk::SealAll() {
  auto sealed = std::make_shared<std::optional<absl::Status>>();
  log_->SealAll([sealed](absl::Status status) { *sealed = std::move(status); });
  RunUntil("sealing", [sealed] { return sealed->has_value(); });
  return sealed->value_or(absl::OkStatus());
}

void StoreOnDisk::Close() {
  auto closed = std::make_shared<bool>(false);
  store_->Close([this, closed] { log_->Close([closed](absl::Status) { *closed = true; }); });
  RunUntil("closing", [closed] { return *closed; });
  Die();
}

void StoreOnDisk::Die() {
  CollectAnswers();
  for (const Attempt& attempt : attempts_) attempt.sent->unknown = true;
  attempts_.clear();
  executor_->DropAll();
  store_ = nullptr;
  log_ = nullptr;
  executor_->DropAll();
}

absl::Status StoreOnDisk::Check() {
  EVERFOLD_ASSIGN_OR_RETURN(const StoreContents contents, ReadContents(*store_, ledger_.names()));
  ledger_.Check(contents);
  return absl::OkStatus();
}

}  // namespace everfold
