// The command line that every application has.
//
//   wallet [serve] [--data DIR] [--listen ADDR]... [--partitions N] [--threads N]
//                  [--allow-raw-appends] [--allow-sql] [--log-level LEVEL]
//   wallet rebuild [PROJECTION...] [--data DIR] [--ahead [--address ADDR]]
//   wallet rebuild-index [--data DIR]
//   wallet projections [list | pause NAME | resume NAME | wait NAME [--timeout S] | rebuild NAME | compare NAME |
//                       cancel NAME | rollback NAME | reset NAME] [--address ADDR]
//   wallet parked list NAME | show NAME KEY | retry NAME KEY | drop NAME KEY [--stream STREAM] --version N --reason
//   TEXT [--address ADDR] wallet reactors [list | pause NAME | resume NAME | reset NAME (--to-head | --as-it-was)
//   --reason TEXT |
//                    waiting NAME | retry NAME (KEY | --all) | drop NAME KEY [--stream STREAM] --version N --reason
//                    TEXT]
//                   [--address ADDR]
//   wallet processes [list | pause NAME | resume NAME | reset NAME (--to-head | --as-it-was) --reason TEXT |
//                     instances NAME [--after KEY] | show NAME ID [--tenant TENANT] | parked NAME |
//                     retry NAME INSTANCE | drop NAME INSTANCE --input INPUT --reason TEXT] [--address ADDR]
//   wallet verify [--quick] [--data DIR | --address ADDR]
//   wallet backup DIRECTORY [--data DIR | --address ADDR]
//   wallet restore DIRECTORY --data DIR [--backup N]
//   wallet salvage DIRECTORY --data DIR
//   wallet export FILE [--no-json] [--data DIR]
//   wallet import FILE --data DIR [--partitions N]
//   wallet version, or --version
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

enum class Verb {
  kServe,
  kRebuild,
  kRebuildIndex,
  kProjections,
  kParked,
  kReactors,
  kProcesses,
  kVerify,
  kBackup,
  kRestore,
  kSalvage,
  kExport,
  kImport,
  kVersion,
  kHelp
};

enum class ProjectionAction { kList, kPause, kResume, kWait, kRebuild, kCompare, kCancel, kRollback, kReset };
enum class ParkedAction { kList, kShow, kRetry, kDrop };
enum class ReactorAction { kList, kPause, kResume, kReset, kWaiting, kRetry, kDrop };

enum class ProcessAction { kList, kPause, kResume, kReset, kInstances, kShow, kParked, kRetry, kDrop };

struct CommandLine {
  Verb verb = Verb::kServe;
  std::string data_directory;
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  std::uint32_t partitions = 0;    // of a new store; 0: the default
  int threads = 0;                 // 0: one for each processor, at least two
  bool allow_raw_appends = false;  // to streams of aggregates, past their deciders
  bool allow_sql = false;          // of callers, on read models
  LogLevel log_level = LogLevel::kInfo;
  std::vector<std::string> projections;  // to rebuild; empty: all
  bool ahead = false;                    // of rebuild: for the next start, from the events of an application that runs
  ProjectionAction projection_action = ProjectionAction::kList;
  ParkedAction parked_action = ParkedAction::kList;
  std::string projection;   // of the action
  int timeout_seconds = 0;  // of a wait; 0: none
  ReactorAction reactor_action = ReactorAction::kList;
  std::string reactor;  // of the action
  ProcessAction process_action = ProcessAction::kList;
  std::string process;        // of the action
  std::string instance;       // of the process: its id, to show; its key, of what is parked
  std::string tenant;         // of the instance to show
  std::string after;          // key of the last instance that was listed
  std::string input;          // that is parked, and is to be dropped
  bool to_head = false;       // of its reset
  bool as_it_was = false;     // likewise
  bool all = false;           // that wait; else: the one
  std::string key;            // that is parked, or waits
  std::uint64_t version = 0;  // of its first event, which is to be dropped
  std::string stream;         // likewise, as StreamOfKey has it; empty: the key
  std::string reason;         // for that, or for the reset
  bool quick = false;         // of verify: checksums and chain only
  std::string address;        // of an application that runs, which is asked to do it; empty: none
  std::string directory;      // of the backup; to salvage: the data directory that is damaged
  std::uint32_t backup = 0;   // to restore; 0: the last one
  std::string file;           // to export to, or to import; "-": stdout, stdin
  bool no_json = false;       // of export: payloads as bytes alone
  std::string help;           // with kHelp: the text to print
};

// `arguments` are without the program's name; `app` is the application's name.
// INVALID_ARGUMENT, in words for the person who typed it, for a command line that is not one of the above.
absl::StatusOr<CommandLine> ParseCommandLine(const std::string& app, const std::vector<std::string>& arguments);

}  // namespace everfold
