#include "everfold/app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

constexpr int kMaxThreads = 1024;
constexpr char kVersionFlag[] = "--version";

void AddDataDirectory(CLI::App& verb, CommandLine& line) {
  verb.add_option("--data", line.data_directory, "Directory of everything the application stores")
      ->type_name("DIR")
      ->capture_default_str();
}

const std::map<std::string, LogLevel>& LevelsByName() {
  static const std::map<std::string, LogLevel> levels = {{"debug", LogLevel::kDebug},
                                                         {"info", LogLevel::kInfo},
                                                         {"warning", LogLevel::kWarning},
                                                         {"error", LogLevel::kError}};
  return levels;
}

void AddLogLevel(CLI::App& verb, CommandLine& line) {
  const auto set_level = [&line](const std::string& name) { line.log_level = LevelsByName().at(name); };
  verb.add_option_function<std::string>("--log-level", set_level,
                                        "Least severity that is logged: debug, info, warning or error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember(std::vector<std::string>{"debug", "info", "warning", "error"}).description(""))
      ->default_str("info");
}

void AddPartitions(CLI::App& verb, CommandLine& line) {
  verb.add_option("--partitions", line.partitions,
                  absl::StrFormat("Partitions of a new store, for good; %d if not given", kDefaultPartitions))
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, kMaxPartitions));
}

void AddServe(CLI::App& parser, CommandLine& line) {
  CLI::App& serve = *parser.add_subcommand("serve", "Take commands and answer queries, until SIGINT or SIGTERM");
  AddDataDirectory(serve, line);
  serve.add_option("--listen", line.listen, "Address to listen on, HOST:PORT or unix:PATH; may be repeated")
      ->type_name("ADDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  AddPartitions(serve, line);
  serve.add_option("--threads", line.threads, "Threads that do the work; one for each processor if not given")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxThreads));
  serve.add_flag("--allow-raw-appends", line.allow_raw_appends,
                 "Let programs append to streams of aggregates past their deciders, through the event store's service");
  serve.add_flag("--allow-sql", line.allow_sql,
                 "Let callers run SELECT on read models, through the service everfold.v1.QueryService");
  AddLogLevel(serve, line);
  serve.callback([&line] { line.verb = Verb::kServe; });
}

void AddAddress(CLI::App& verb, CommandLine& line) {
  verb.add_option("--address", line.address,
                  "Ask the application that runs there to do it, HOST:PORT or unix:PATH; its own data directory counts")
      ->type_name("ADDR")
      ->excludes("--data");
}

void AddRebuildIndex(CLI::App& parser, CommandLine& line) {
  CLI::App& rebuild = *parser.add_subcommand(
      "rebuild-index", "Delete the index and build it anew from the log; the application must not be running");
  AddDataDirectory(rebuild, line);
  rebuild.callback([&line] { line.verb = Verb::kRebuildIndex; });
}

void SetRunning(CommandLine& line, Verb verb) {
  line.verb = verb;
  if (line.address.empty()) line.address = line.listen.front();
}

// A running application is needed, so there is a default.
CLI::Option& AddRunningAddress(CLI::App& verb, CommandLine& line) {
  return *verb.add_option_function<std::string>(
                  "--address", [&line](const std::string& address) { line.address = address; },
                  "Where the application runs, HOST:PORT or unix:PATH")
              ->type_name("ADDR")
              ->default_str(line.listen.front());
}

void AddRebuild(CLI::App& parser, CommandLine& line) {
  CLI::App& rebuild = *parser.add_subcommand(
      "rebuild",
      "Build read models anew from the log; the application must not be running (else: projections rebuild)");
  rebuild.add_option("PROJECTION", line.projections, "Projections to rebuild; all if none is given")->type_name("");
  AddDataDirectory(rebuild, line);
  CLI::Option* const ahead =
      rebuild.add_flag("--ahead", line.ahead,
                       "While another program serves the data: build what this program needs, for its first start");
  AddRunningAddress(rebuild, line).needs(ahead);
  rebuild.callback([&line] {
    if (line.ahead) return SetRunning(line, Verb::kRebuild);
    line.verb = Verb::kRebuild;
  });
}

CLI::App& AddAction(CLI::App& verb, const char* name, const char* what, CommandLine& line) {
  CLI::App& action = *verb.add_subcommand(name, what);
  AddRunningAddress(action, line);
  return action;
}

CLI::App& AddActionOn(const char* part, std::string& part_name, CLI::App& verb, const char* name, const char* what,
                      CommandLine& line) {
  CLI::App& action = AddAction(verb, name, what, line);
  action.add_option(part, part_name, "Its name")->type_name("")->required();
  return action;
}

// What is left out for good: the event, and why.
void AddDropped(CLI::App& drop, const char* told_by, CommandLine& line) {
  drop.add_option("--stream", line.stream,
                  absl::StrFormat("Stream of that event, as `%s` tells it, if that is not the key", told_by))
      ->type_name("STREAM");
  drop.add_option("--version", line.version,
                  absl::StrFormat("Version of that event in its stream, as `%s` tells it", told_by))
      ->type_name("N")
      ->required();
  drop.add_option("--reason", line.reason, "Why, in words; kept in the log")->type_name("TEXT")->required();
}

void AddProjections(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand("projections", "Where the projections of a running application stand");
  AddRunningAddress(verb, line);
  verb.require_subcommand(0, 1);
  verb.callback([&line] { SetRunning(line, Verb::kProjections); });
  const auto add = [&](const char* name, ProjectionAction action, const char* what) {
    CLI::App& added = action == ProjectionAction::kList
                          ? AddAction(verb, name, what, line)
                          : AddActionOn("PROJECTION", line.projection, verb, name, what, line);
    added.callback([&line, action] { line.projection_action = action; });
    if (action != ProjectionAction::kWait) return;
    added
        .add_option("--timeout", line.timeout_seconds, "Not longer than so many seconds; default: as long as it takes")
        ->type_name("S")
        ->check(CLI::Range(1, 1'000'000));
  };
  add("list", ProjectionAction::kList, "All of them; the same as without an action");
  add("pause", ProjectionAction::kPause, "Take in no more events, until it is resumed");
  add("resume", ProjectionAction::kResume, "Go on; what an error has stopped is tried at once");
  add("wait", ProjectionAction::kWait, "Until it has taken in all that the log has now");
  add("rebuild", ProjectionAction::kRebuild, "Build its read models anew beside those that are queried, and swap them");
  add("compare", ProjectionAction::kCompare, "Build its read models anew, and tell where they differ; swap nothing");
  add("cancel", ProjectionAction::kCancel, "Give up what is being built");
  add("rollback", ProjectionAction::kRollback, "Go back to what was queried before the last swap");
  add("reset", ProjectionAction::kReset,
      "Throw its read models away and begin with empty ones, which queries see grow");
}

void AddParked(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand("parked", "Events that a projection of a running application cannot handle");
  verb.require_subcommand(1);
  verb.callback([&line] { SetRunning(line, Verb::kParked); });
  const auto add = [&](const char* name, ParkedAction action, const char* what) -> CLI::App& {
    CLI::App& added = AddActionOn("PROJECTION", line.projection, verb, name, what, line);
    if (action != ParkedAction::kList) added.add_option("KEY", line.key, "The parked key")->type_name("")->required();
    added.callback([&line, action] { line.parked_action = action; });
    return added;
  };
  add("list", ParkedAction::kList, "Parked keys, and why they are");
  add("show", ParkedAction::kShow, "The first events that wait behind a key");
  add("retry", ParkedAction::kRetry, "Handle the events of a key again");
  CLI::App& drop =
      add("drop", ParkedAction::kDrop, "Leave out the first event of a key, for good, and retry the others");
  AddDropped(drop, "show", line);
}

void AddReset(CLI::App& reset, CommandLine& line) {
  CLI::Option_group& place = *reset.add_option_group("place");
  place.add_flag("--to-head", line.to_head, "At the head of the log: nothing that is in it is reacted to");
  place.add_flag("--as-it-was", line.as_it_was, "Where it stood, after the store was restored from a backup");
  place.require_option(1);
  reset.add_option("--reason", line.reason, "Why, in words; kept in the log")->type_name("TEXT")->required();
}

// One that waits, which is the argument `name`, or all.
void AddRetry(const char* name, std::string& one, const char* what, CLI::App& retry, CommandLine& line) {
  CLI::Option_group& which = *retry.add_option_group("which");
  which.add_option(name, one, what)->type_name("")->check([](const std::string& value) {
    return value.empty() ? std::string("is empty; all that wait are --all") : std::string();
  });
  which.add_flag("--all", line.all, "All that wait");
  which.require_option(1);
}

void AddReactors(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand("reactors", "Where the reactors of a running application stand");
  AddRunningAddress(verb, line);
  verb.require_subcommand(0, 1);
  verb.callback([&line] { SetRunning(line, Verb::kReactors); });
  const auto add = [&](const char* name, ReactorAction action, const char* what) -> CLI::App& {
    CLI::App& added = action == ReactorAction::kList ? AddAction(verb, name, what, line)
                                                     : AddActionOn("REACTOR", line.reactor, verb, name, what, line);
    added.callback([&line, action] { line.reactor_action = action; });
    return added;
  };
  add("list", ReactorAction::kList, "All of them; the same as without an action");
  add("pause", ReactorAction::kPause, "Begin no more reactions, until it is resumed");
  add("resume", ReactorAction::kResume, "Go on; what an error has stopped is tried at once");
  AddReset(add("reset", ReactorAction::kReset, "Go on elsewhere in the log"), line);
  add("waiting", ReactorAction::kWaiting, "Events that wait for another try, or for you, and why");
  AddRetry("KEY", line.key, "The key that waits",
           add("retry", ReactorAction::kRetry, "Try events that wait again, at once"), line);
  CLI::App& drop = add("drop", ReactorAction::kDrop, "Leave out the first event of a key that waits, for good");
  drop.add_option("KEY", line.key, "The key that waits")->type_name("")->required();
  AddDropped(drop, "waiting", line);
}

void AddProcesses(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand("processes", "Where the processes of a running application stand");
  AddRunningAddress(verb, line);
  verb.require_subcommand(0, 1);
  verb.callback([&line] { SetRunning(line, Verb::kProcesses); });
  const auto add = [&](const char* name, ProcessAction action, const char* what) -> CLI::App& {
    CLI::App& added = action == ProcessAction::kList ? AddAction(verb, name, what, line)
                                                     : AddActionOn("PROCESS", line.process, verb, name, what, line);
    added.callback([&line, action] { line.process_action = action; });
    return added;
  };
  const auto add_on = [&](const char* name, ProcessAction action, const char* what, const char* which) -> CLI::App& {
    CLI::App& added = add(name, action, what);
    added.add_option("INSTANCE", line.instance, which)->type_name("")->required();
    return added;
  };
  add("list", ProcessAction::kList, "All of them; the same as without an action");
  add("pause", ProcessAction::kPause, "Take no input, until it is resumed; what is in flight goes on");
  add("resume", ProcessAction::kResume, "Go on; what an error has stopped is tried at once");
  AddReset(add("reset", ProcessAction::kReset, "Go on elsewhere in the log; what is open stays open"), line);
  add("instances", ProcessAction::kInstances, "Open instances, a hundred at a time")
      .add_option("--after", line.after, "Those behind this one, as the page before ends")
      ->type_name("KEY");
  add_on("show", ProcessAction::kShow, "One instance: its state, what is open, and its steps",
         "Its id, or its key as `instances` tells it")
      .add_option("--tenant", line.tenant, "Its tenant")
      ->type_name("TENANT");
  add("parked", ProcessAction::kParked, "Instances that wait for you, or for another try, and why");
  AddRetry("INSTANCE", line.instance, "The instance, as `parked` tells it",
           add("retry", ProcessAction::kRetry, "Try what is parked again, at once"), line);
  CLI::App& drop =
      add_on("drop", ProcessAction::kDrop, "Leave out what is parked, for good", "The instance, as `parked` tells it");
  drop.add_option("--input", line.input, "What is parked, as `parked` tells it")->type_name("INPUT")->required();
  drop.add_option("--reason", line.reason, "Why, in words; kept in the log")->type_name("TEXT")->required();
}

void AddBackup(CLI::App& parser, CommandLine& line) {
  CLI::App& backup = *parser.add_subcommand("backup", "Add a backup of the log to a directory of backups");
  backup.add_option("DIRECTORY", line.directory, "Directory of backups; made where there is none")
      ->type_name("")
      ->required();
  AddDataDirectory(backup, line);
  AddAddress(backup, line);
  backup.callback([&line] { line.verb = Verb::kBackup; });
}

// --data without a default: a new directory has to be named.
void AddNewDirectory(CLI::App& verb, CommandLine& line) {
  verb.add_option("--data", line.data_directory, "Data directory to make; must be empty or not there")
      ->type_name("DIR")
      ->required();
}

void AddRestore(CLI::App& parser, CommandLine& line) {
  CLI::App& restore = *parser.add_subcommand("restore", "Make a new store from a backup, and verify it");
  restore.add_option("DIRECTORY", line.directory, "Directory of backups")->type_name("")->required();
  AddNewDirectory(restore, line);
  restore.add_option("--backup", line.backup, "Number of the backup; the last one if not given")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, std::numeric_limits<std::uint32_t>::max()).description(""));
  restore.callback([&line] { line.verb = Verb::kRestore; });
}

void AddSalvage(CLI::App& parser, CommandLine& line) {
  CLI::App& salvage =
      *parser.add_subcommand("salvage", "Make a new store from all that is proven to be whole of a damaged one");
  salvage.add_option("DIRECTORY", line.directory, "Data directory of the damaged store, which is only read")
      ->type_name("")
      ->required();
  AddNewDirectory(salvage, line);
  salvage.callback([&line] { line.verb = Verb::kSalvage; });
}

void AddExport(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand(
      "export", "Write the whole log as JSON Lines, for other programs; the application must not be running");
  verb.add_option("FILE", line.file, "File to make, or - for stdout")->type_name("")->required();
  verb.add_flag("--no-json", line.no_json,
                "Leave out what people read: payloads as bytes alone, in a third of the time");
  AddDataDirectory(verb, line);
  verb.callback([&line] { line.verb = Verb::kExport; });
}

void AddImport(CLI::App& parser, CommandLine& line) {
  CLI::App& verb = *parser.add_subcommand("import", "Make a new store from an export, and verify it");
  verb.add_option("FILE", line.file, "File that `export` or another program wrote, or - for stdin")
      ->type_name("")
      ->required();
  AddNewDirectory(verb, line);
  AddPartitions(verb, line);
  verb.callback([&line] { line.verb = Verb::kImport; });
}

void AddVerify(CLI::App& parser, CommandLine& line) {
  CLI::App& verify = *parser.add_subcommand(
      "verify", "Read the whole log, its index and the read models and check that they are undamaged");
  AddDataDirectory(verify, line);
  AddAddress(verify, line);
  verify.add_flag("--quick", line.quick, "Check the log's checksums and its chain only");
  verify.callback([&line] { line.verb = Verb::kVerify; });
}

void AddVersion(CLI::App& parser, CommandLine& line) {
  parser.add_subcommand("version", "Print the version")->callback([&line] { line.verb = Verb::kVersion; });
}

// `serve` is meant where no verb is named.
std::vector<std::string> WithVerb(std::vector<std::string> arguments) {
  const bool has_verb = !arguments.empty() && !arguments.front().starts_with('-');
  const bool asks = !arguments.empty() &&
                    (arguments.front() == "-h" || arguments.front() == "--help" || arguments.front() == kVersionFlag);
  if (!has_verb && !asks) arguments.insert(arguments.begin(), "serve");
  return arguments;
}

// With the way to the help of the innermost verb that was understood.
absl::Status Unusable(const CLI::App& parser, const std::string& problem) {
  std::string verbs = parser.get_name();
  for (const CLI::App* verb = &parser; !verb->get_subcommands().empty();) {
    verb = verb->get_subcommands().front();
    verbs += " " + verb->get_name();
  }
  return absl::InvalidArgumentError(absl::StrFormat("%s\nRun '%s --help' for what there is.", problem, verbs));
}

// CLI11 would not name a verb that it does not know.
absl::Status CheckVerb(const CLI::App& parser, const std::string& verb) {
  if (verb.starts_with('-')) return absl::OkStatus();
  std::vector<std::string> names;
  for (const CLI::App* const known : parser.get_subcommands({})) names.push_back(known->get_name());
  if (std::find(names.begin(), names.end(), verb) != names.end()) return absl::OkStatus();
  return Unusable(parser, absl::StrFormat("there is no command '%s'; there is: %s", verb, absl::StrJoin(names, ", ")));
}

constexpr char kFooter[] =
    "Without a command it serves.\n\n"
    "Exit codes: 0 done, 2 wrong usage, 65 salvaged with losses, 69 cannot listen, 70 failed, 74 data damaged, 75 data "
    "in use.";

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::string& app, const std::vector<std::string>& arguments) {
  CommandLine line;
  line.data_directory = "./.everfold/" + app;
  CLI::App parser("The application " + app + ", built with Everfold", app);
  parser.require_subcommand(1);
  AddServe(parser, line);
  AddRebuild(parser, line);
  AddRebuildIndex(parser, line);
  AddProjections(parser, line);
  AddParked(parser, line);
  AddReactors(parser, line);
  AddProcesses(parser, line);
  AddVerify(parser, line);
  AddBackup(parser, line);
  AddRestore(parser, line);
  AddSalvage(parser, line);
  AddExport(parser, line);
  AddImport(parser, line);
  AddVersion(parser, line);
  parser.set_version_flag(kVersionFlag, "", "Print the version");
  parser.footer(kFooter);  // last, because verbs inherit it
  std::vector<std::string> reversed = WithVerb(arguments);
  EVERFOLD_RETURN_IF_ERROR(CheckVerb(parser, reversed.front()));
  std::reverse(reversed.begin(), reversed.end());  // as CLI11 takes them
  try {
    parser.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    line.verb = Verb::kHelp;
    line.help = parser.help();
  } catch (const CLI::CallForVersion&) {
    line.verb = Verb::kVersion;
  } catch (const CLI::ParseError& error) {
    return Unusable(parser, error.what());
  }
  return line;
}

}  // namespace everfold
