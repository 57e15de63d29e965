// Asks an application that runs for its reactors, and to do something about them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/stream_id.h"
#include "everfold/v1/reactor_service.pb.h"

namespace everfold {

// Each call blocks until the application has answered. UNAVAILABLE, with the address, if none answers there; else what
// the application says. Threading: one thread.
class ReactorClient {
 public:
  // INVALID_ARGUMENT for what is no address.
  static absl::StatusOr<std::unique_ptr<ReactorClient>> Open(const std::string& address);
  virtual ~ReactorClient() = default;

  virtual absl::StatusOr<std::vector<v1::ReactorInfo>> List() = 0;
  virtual absl::Status Pause(const std::string& reactor) = 0;
  virtual absl::Status Resume(const std::string& reactor) = 0;
  virtual absl::Status Reset(const std::string& reactor, v1::ReactorResetTo to, const std::string& reason) = 0;
  virtual absl::StatusOr<std::vector<v1::WaitingReaction>> Waiting(const std::string& reactor) = 0;
  // Of one key, or of all if it is empty.
  virtual absl::Status Retry(const std::string& reactor, const std::string& key) = 0;
  // `stream` and `version` are those of the key's first event.
  virtual absl::Status Drop(const std::string& reactor, const std::string& key, const StreamId& stream,
                            std::uint64_t version, const std::string& reason) = 0;
};

}  // namespace everfold
