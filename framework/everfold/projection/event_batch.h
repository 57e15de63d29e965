// Events that are kept beyond the visit that they were handed to, prepared for their handlers, in memory that is used
// again for the next ones.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_tally.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"
#include "everfold/projection/event_handling.h"
#include "everfold/projection/event_source.h"
#include "everfold/subscription/subscription.h"
#include "google/protobuf/message_lite.h"

namespace everfold {

// Threading: one thread at a time.
class EventBatch {
 public:
  // What one holds. With the last event it may be more bytes.
  static constexpr std::size_t kMaxEvents = 256;
  static constexpr std::size_t kMaxPayloadBytes = 128 << 10;

  EventBatch() { events_.reserve(kMaxEvents); }
  EventBatch(const EventBatch&) = delete;
  EventBatch& operator=(const EventBatch&) = delete;

  // Pulls as many as there is room for, in place of those before. Events that no route is for are left out.
  void Fill(Subscription& subscription, const EventRoutes& routes);

  std::size_t size() const { return size_; }
  // Lifetime, here and below: until the next Fill.
  PreparedEvent event(std::size_t i) const;
  const Position& position(std::size_t i) const { return events_[i].position; }
  // Behind its last event, and what follows that and is not wanted.
  const Checkpoint& checkpoint() const { return checkpoint_; }
  bool caught_up() const { return caught_up_; }
  bool is_full() const { return is_full_; }
  // What ended the pull; the events before it are there.
  const absl::Status& status() const { return status_; }

 private:
  struct KeptCommit {
    Sequence sequence;
    absl::Time recorded_at;
    CommandId command;
    Metadata metadata;
  };
  struct KeptType {
    std::string name, fingerprint;
    const EventRoute* route = nullptr;
  };
  struct KeptEvent {
    std::size_t commit = 0;
    std::size_t type = 0;
    StreamId stream;
    Version first_version;
    absl::Time event_time;
    std::vector<std::string> tags;
    PayloadCodec codec;
    std::size_t payload_begin = 0, payload_size = 0;
    Version version;
    Position position;
    EventTally tally;
    std::size_t id_hash = 0;
    const google::protobuf::MessageLite* message = nullptr;
  };
  // Messages of one type, used again.
  struct Messages {
    std::vector<std::unique_ptr<google::protobuf::MessageLite>> all;
    std::size_t used = 0;
  };

  void Clear();
  std::size_t IdHashOf(std::size_t i) const { return i < size_ ? events_[i].id_hash : 0; }
  void Add(const RecordedEvent& event, const EventRoutes& routes);
  std::size_t CommitOf(const RecordedCommit& commit);
  std::size_t TypeOf(const RecordedPayload& event, const EventRoutes& routes);
  bool IsOfType(std::size_t type, const RecordedPayload& event) const;
  const google::protobuf::MessageLite* Parse(std::string_view payload, const EventRoute& route);

  std::vector<KeptEvent> events_;  // of which `size_` are of this batch; so are those of commits
  std::size_t size_ = 0;
  std::vector<KeptCommit> commits_;
  std::size_t commits_size_ = 0;
  std::vector<KeptType> types_;
  std::size_t last_type_ = 0;
  std::string payloads_;
  absl::flat_hash_map<const EventRoute*, Messages> messages_;
  Checkpoint checkpoint_;
  bool is_full_ = false;
  bool caught_up_ = false;
  absl::Status status_;
};

}  // namespace everfold
