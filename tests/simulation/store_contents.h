// All that a store answers about what it holds, so that two answers can be compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/store/event_store.h"

namespace everfold {

// A commit as the log holds it, put together from its parts.
struct StoredCommit {
  std::string command_id;
  std::map<StreamId, std::vector<std::string>> payloads;
  std::map<StreamId, Version> last_versions;
  std::vector<std::string> events;  // each with everything that is known of it, as text
  friend bool operator==(const StoredCommit&, const StoredCommit&) = default;
};

// What somebody who knows of it asks for by name.
struct StoreNames {
  std::map<StreamId, bool> streams;
  std::map<std::string, CommandId> commands;  // by id
};

struct StoreContents {
  std::map<Sequence, StoredCommit> commits;  // by a subscription to everything
  std::map<StreamId, std::vector<std::string>> streams;
  std::map<StreamId, Version> versions;
  std::map<std::string, Sequence> commands;  // of those that are known
  friend bool operator==(const StoreContents&, const StoreContents&) = default;
};

// Reads everything: each event by subscription and by its stream, and each command.
absl::StatusOr<StoreContents> ReadContents(const EventStore& store, const StoreNames& names);

// How the answers contradict each other, a line each: streams and commands are found through the index, commits
// without.
std::vector<std::string> ContradictionsOf(const StoreContents& contents, const StoreNames& names);

}  // namespace everfold
