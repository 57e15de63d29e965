#include "everfold/projection/event_batch.h"

#include <new>
#include <utility>

#include "everfold/projection/cached_rows.h"

namespace everfold {
namespace {

// What parsed payloads keep of memory for the next ones is bounded: larger ones are parsed by their handlers.
constexpr std::size_t kMaxParsedBytes = 1 << 10;
// Of all types together.
constexpr std::size_t kMaxKeptMessages = 2 * EventBatch::kMaxEvents;
// Of types, each with the fingerprints that it had.
constexpr std::size_t kMaxKeptTypes = 1'000;
// In how many events a row is needed. To bring it near takes about as long as handling one, twice.
constexpr std::size_t kSoon = 4;
constexpr std::size_t kLater = 8;

}  // namespace

void EventBatch::Fill(Subscription& subscription, const EventRoutes& routes) {
  Clear();
  bool has_room = true;
  const absl::StatusOr<PullResult> pulled = subscription.Pull(kMaxEvents, [&](const RecordedEvent& event) {
    has_room = payloads_.size() < kMaxPayloadBytes;
    if (!has_room) return absl::CancelledError();  // it is the first of the next batch
    Add(event, routes);
    return absl::OkStatus();
  });
  checkpoint_ = subscription.checkpoint();
  caught_up_ = pulled.ok() && pulled->caught_up;
  status_ = has_room ? pulled.status() : absl::OkStatus();
  is_full_ = !has_room || size_ == kMaxEvents;
}

void EventBatch::Clear() {
  size_ = commits_size_ = 0;
  payloads_.clear();
  std::size_t kept = 0;
  for (auto& [route, messages] : messages_) {
    messages.used = 0;
    kept += messages.all.size();
  }
  if (kept > kMaxKeptMessages) messages_.clear();
  if (types_.size() > kMaxKeptTypes) types_.clear();
}

void EventBatch::Add(const RecordedEvent& event, const EventRoutes& routes) {
  const std::size_t type = TypeOf(event.event, routes);
  const EventRoute* const route = types_[type].route;
  if (route == nullptr) return;
  const std::size_t commit = CommitOf(event.commit);
  if (size_ == events_.size()) events_.emplace_back();
  KeptEvent& kept = events_[size_++];
  kept.commit = commit;
  kept.type = type;
  kept.stream = event.stream.stream;
  kept.first_version = event.stream.first_version;
  kept.event_time = event.event.event_time;
  kept.tags.assign(event.event.tags.begin(), event.event.tags.end());
  kept.codec = event.event.codec;
  kept.payload_begin = payloads_.size();
  kept.payload_size = event.event.payload.size();
  payloads_ += event.event.payload;
  kept.version = event.version;
  kept.position = event.position;
  kept.tally = TallyOf(event);
  kept.id_hash = CachedRows::HashOf(event.stream.stream.id);
  kept.message = Parse(event.event.payload, *route);
}

// What comes merged has the events of a commit behind each other.
std::size_t EventBatch::CommitOf(const RecordedCommit& commit) {
  if (commits_size_ > 0 && commits_[commits_size_ - 1].sequence == commit.sequence) return commits_size_ - 1;
  if (commits_size_ == commits_.size()) commits_.emplace_back();
  KeptCommit& kept = commits_[commits_size_];
  kept.sequence = commit.sequence;
  kept.recorded_at = commit.recorded_at;
  kept.command = commit.command;
  kept.metadata = commit.metadata;
  return commits_size_++;
}

std::size_t EventBatch::TypeOf(const RecordedPayload& event, const EventRoutes& routes) {
  if (IsOfType(last_type_, event)) return last_type_;
  for (last_type_ = 0; last_type_ < types_.size(); ++last_type_) {
    if (IsOfType(last_type_, event)) return last_type_;
  }
  types_.push_back({.name = event.type, .fingerprint = event.fingerprint, .route = routes.Find(event.type)});
  return last_type_;
}

bool EventBatch::IsOfType(std::size_t type, const RecordedPayload& event) const {
  return type < types_.size() && types_[type].name == event.type && types_[type].fingerprint == event.fingerprint;
}

const google::protobuf::MessageLite* EventBatch::Parse(std::string_view payload, const EventRoute& route) {
  if (route.upcast != nullptr || route.handler.make == nullptr || payload.size() > kMaxParsedBytes) return nullptr;
  try {
    Messages& messages = messages_[&route];
    if (messages.used == messages.all.size()) messages.all.push_back(route.handler.make());
    google::protobuf::MessageLite& message = *messages.all[messages.used];
    if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return nullptr;
    ++messages.used;
    return &message;
  } catch (const std::bad_alloc&) {
    return nullptr;  // whoever handles it meets the same, and tells
  }
}

PreparedEvent EventBatch::event(std::size_t i) const {
  const KeptEvent& event = events_[i];
  const KeptCommit& commit = commits_[event.commit];
  const KeptType& type = types_[event.type];
  return {.event = {.commit = {commit.sequence, commit.recorded_at, commit.command, commit.metadata},
                    .stream = {event.stream, event.first_version},
                    .event = {type.name, type.fingerprint, event.event_time, event.tags, event.codec,
                              std::string_view(payloads_).substr(event.payload_begin, event.payload_size)},
                    .version = event.version,
                    .position = event.position},
          .route = *type.route,
          .tally = event.tally,
          .message = event.message,
          .soon = IdHashOf(i + kSoon),
          .later = IdHashOf(i + kLater)};
}

}  // namespace everfold
