// A file of messages to be sent, one line of JSON each: what takes the place of a mail server in this sample. A message
// whose id is there already is left out, as a good receiver does.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"

namespace shop {

// Threading: one thread. It keeps all ids in memory.
class Outbox {
 public:
  // Nothing is opened before the first message.
  explicit Outbox(std::string path) : path_(std::move(path)) {}
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Durable when it returns OK. `json` is one line. After an error, that of the file system, the line may be there or
  // not; to add it again is right in both cases.
  absl::Status Add(const std::string& id, const std::string& json);

 private:
  absl::Status Open();
  absl::Status ReadIds();
  absl::Status Append(const std::string& line);
  absl::Status Sync();
  void Close();

  const std::string path_;
  int file_ = -1;
  std::unordered_set<std::string> ids_;
};

}  // namespace shop
