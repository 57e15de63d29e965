// Asks an application that runs for its projections, and to do something about them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/stream_id.h"
#include "everfold/v1/projection_service.pb.h"

namespace everfold {

// Each call blocks until the application has answered. UNAVAILABLE, with the address, if none answers there; else what
// the application says. Threading: one thread.
class ProjectionClient {
 public:
  // INVALID_ARGUMENT for what is no address.
  static absl::StatusOr<std::unique_ptr<ProjectionClient>> Open(const std::string& address);
  virtual ~ProjectionClient() = default;

  virtual absl::StatusOr<std::vector<v1::ProjectionInfo>> List() = 0;
  virtual absl::Status Pause(const std::string& projection) = 0;
  virtual absl::Status Resume(const std::string& projection) = 0;
  // What is queried after a swap, and what is kept for a rollback; 0: nothing.
  struct Swapped {
    std::uint32_t version = 0;
    std::uint32_t previous = 0;
  };
  // What came of a try: events that still wait, and why the first of them cannot be handled.
  struct Tried {
    std::uint64_t waiting = 0;
    std::string error = {};
  };
  // Until the new version is queried; meanwhile tells how far it is, every now and then.
  using OnProgress = std::function<void(const v1::ProjectionRebuild&)>;
  virtual absl::StatusOr<Swapped> Rebuild(const std::string& projection, const OnProgress& on_progress) = 0;
  virtual absl::StatusOr<Swapped> Rollback(const std::string& projection, const OnProgress& on_progress) = 0;
  // As Rebuild, until the two versions are compared.
  virtual absl::StatusOr<v1::CompareProjectionResponse> Compare(const std::string& projection,
                                                                const OnProgress& on_progress) = 0;
  virtual absl::Status Reset(const std::string& projection) = 0;
  // Until it has taken in all that the log has now. DEADLINE_EXCEEDED if that takes longer than `timeout`.
  virtual absl::Status WaitFor(const std::string& projection, absl::Duration timeout) = 0;
  // Compares it with the log.
  virtual absl::StatusOr<v1::VerifiedProjection> Verify(
      const std::string& projection,
      const std::function<void(std::uint64_t events, std::uint64_t total)>& progress) = 0;
  virtual absl::Status CancelRebuild(const std::string& projection) = 0;
  virtual absl::StatusOr<std::vector<v1::ParkedKey>> ParkedKeys(const std::string& projection) = 0;
  virtual absl::StatusOr<std::vector<v1::ParkedEvent>> ParkedEvents(const std::string& projection,
                                                                    const std::string& key) = 0;
  virtual absl::StatusOr<Tried> Retry(const std::string& projection, const std::string& key) = 0;
  // `stream` and `version` are those of the key's first event.
  virtual absl::StatusOr<Tried> Drop(const std::string& projection, const std::string& key, const StreamId& stream,
                                     std::uint64_t version, const std::string& reason) = 0;
};

}  // namespace everfold
