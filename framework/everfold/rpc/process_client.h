// Asks an application that runs for its processes, and to do something about them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/v1/process_service.pb.h"

namespace everfold {

// Each call blocks until the application has answered. UNAVAILABLE, with the address, if none answers there; else what
// the application says. Threading: one thread.
class ProcessClient {
 public:
  // INVALID_ARGUMENT for what is no address.
  static absl::StatusOr<std::unique_ptr<ProcessClient>> Open(const std::string& address);
  virtual ~ProcessClient() = default;

  virtual absl::StatusOr<std::vector<v1::ProcessInfo>> List() = 0;
  virtual absl::Status Pause(const std::string& process) = 0;
  virtual absl::Status Resume(const std::string& process) = 0;
  virtual absl::Status Reset(const std::string& process, v1::ReactorResetTo to, const std::string& reason) = 0;
  // A page behind the instance with this key.
  virtual absl::StatusOr<v1::ListProcessInstancesResponse> Instances(const std::string& process,
                                                                     const std::string& after) = 0;
  virtual absl::StatusOr<v1::GetProcessInstanceResponse> Get(const std::string& process, const std::string& tenant,
                                                             const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<v1::ParkedProcessInstance>> Parked(const std::string& process) = 0;
  // All that is parked, if no instance is named.
  virtual absl::Status Retry(const std::string& process, const std::string& instance) = 0;
  virtual absl::Status Drop(const std::string& process, const std::string& instance, const std::string& input,
                            const std::string& reason) = 0;
};

}  // namespace everfold
