#include "everfold/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CommandLine Parsed(const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine("wallet", arguments);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.value_or(CommandLine());
}

std::string Refusal(const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine("wallet", arguments);
  EXPECT_EQ(line.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(line.status().message());
}

TEST(CommandLine, ServesWithDefaultsWhenEmpty) {
  const CommandLine line = Parsed({});
  EXPECT_EQ(line.verb, Verb::kServe);
  EXPECT_EQ(line.data_directory, "./.everfold/wallet");
  EXPECT_THAT(line.listen, ElementsAre("127.0.0.1:50051"));
  EXPECT_EQ(line.partitions, 0u);
  EXPECT_EQ(line.threads, 0);
  EXPECT_EQ(line.log_level, LogLevel::kInfo);
}

TEST(CommandLine, ServesWithOptionsAlone) {
  const CommandLine line = Parsed({"--data", "d"});
  EXPECT_EQ(line.verb, Verb::kServe);
  EXPECT_EQ(line.data_directory, "d");
}

TEST(CommandLine, TakesEveryOptionOfServe) {
  const CommandLine line = Parsed({"serve", "--data", "d", "--listen", "127.0.0.1:1", "--listen", "unix:/s",
                                   "--partitions", "4", "--threads", "3", "--log-level", "warning"});
  EXPECT_EQ(line.verb, Verb::kServe);
  EXPECT_EQ(line.data_directory, "d");
  EXPECT_THAT(line.listen, ElementsAre("127.0.0.1:1", "unix:/s"));
  EXPECT_EQ(line.partitions, 4u);
  EXPECT_EQ(line.threads, 3);
  EXPECT_EQ(line.log_level, LogLevel::kWarning);
}

TEST(CommandLine, BackupsAreNumberedFromOne) {
  EXPECT_EQ(Parsed({"restore", "b", "--data", "d", "--backup", "4294967295"}).backup, 4294967295u);
  EXPECT_THAT(Refusal({"restore", "b", "--data", "d", "--backup", "0"}),
              HasSubstr("Value 0 not in range 1 to 4294967295"));
}

TEST(CommandLine, RebuildsEverythingOrSome) {
  EXPECT_EQ(Parsed({"rebuild"}).verb, Verb::kRebuild);
  EXPECT_THAT(Parsed({"rebuild"}).projections, IsEmpty());
  const CommandLine line = Parsed({"rebuild", "balances", "turnover", "--data", "d"});
  EXPECT_THAT(line.projections, ElementsAre("balances", "turnover"));
  EXPECT_EQ(line.data_directory, "d");
}

TEST(CommandLine, RebuildsAheadFromAnApplication) {
  EXPECT_FALSE(Parsed({"rebuild", "balances"}).ahead);
  EXPECT_EQ(Parsed({"rebuild", "balances"}).address, "");
  const CommandLine line = Parsed({"rebuild", "balances", "--ahead", "--data", "d", "--address", "unix:/s"});
  EXPECT_EQ(line.verb, Verb::kRebuild);
  EXPECT_TRUE(line.ahead);
  EXPECT_THAT(line.projections, ElementsAre("balances"));
  EXPECT_EQ(line.data_directory, "d");
  EXPECT_EQ(line.address, "unix:/s");
  EXPECT_EQ(Parsed({"rebuild", "--ahead"}).address, "127.0.0.1:50051");
  EXPECT_THAT(Refusal({"rebuild", "--address", "127.0.0.1:1"}), HasSubstr("--address requires --ahead"));
}

TEST(CommandLine, VerifiesADirectoryOrAnApplication) {
  const CommandLine offline = Parsed({"verify", "--data", "d"});
  EXPECT_EQ(offline.verb, Verb::kVerify);
  EXPECT_EQ(offline.data_directory, "d");
  EXPECT_FALSE(offline.quick);
  const CommandLine online = Parsed({"verify", "--quick", "--address", "127.0.0.1:1"});
  EXPECT_TRUE(online.quick);
  EXPECT_EQ(online.address, "127.0.0.1:1");
  EXPECT_THAT(Refusal({"verify", "--data", "d", "--address", "127.0.0.1:1"}), HasSubstr("excludes"));
}

TEST(CommandLine, BacksUpAndRestores) {
  const CommandLine backup = Parsed({"backup", "b", "--data", "d"});
  EXPECT_EQ(backup.verb, Verb::kBackup);
  EXPECT_EQ(backup.directory, "b");
  EXPECT_EQ(Parsed({"backup", "b", "--address", "unix:/s"}).address, "unix:/s");
  const CommandLine restore = Parsed({"restore", "b", "--data", "d", "--backup", "7"});
  EXPECT_EQ(restore.verb, Verb::kRestore);
  EXPECT_EQ(restore.directory, "b");
  EXPECT_EQ(restore.data_directory, "d");
  EXPECT_EQ(restore.backup, 7u);
  EXPECT_EQ(Parsed({"salvage", "s", "--data", "d"}).verb, Verb::kSalvage);
  EXPECT_EQ(Parsed({"rebuild-index"}).verb, Verb::kRebuildIndex);
}

TEST(CommandLine, ExportsAndImports) {
  const CommandLine out = Parsed({"export", "f", "--data", "d"});
  EXPECT_EQ(out.verb, Verb::kExport);
  EXPECT_EQ(out.file, "f");
  EXPECT_EQ(out.data_directory, "d");
  EXPECT_FALSE(out.no_json);
  EXPECT_TRUE(Parsed({"export", "-", "--no-json"}).no_json);
  EXPECT_EQ(Parsed({"export", "-"}).file, "-");
  const CommandLine in = Parsed({"import", "-", "--data", "d", "--partitions", "4"});
  EXPECT_EQ(in.verb, Verb::kImport);
  EXPECT_EQ(in.file, "-");
  EXPECT_EQ(in.data_directory, "d");
  EXPECT_EQ(in.partitions, 4u);
}

TEST(CommandLine, AsksForReactors) {
  EXPECT_EQ(Parsed({"reactors"}).verb, Verb::kReactors);
  EXPECT_EQ(Parsed({"reactors"}).reactor_action, ReactorAction::kList);
  EXPECT_EQ(Parsed({"reactors"}).address, "127.0.0.1:50051");
  CommandLine line = Parsed({"reactors", "pause", "mail", "--address", "127.0.0.1:7"});
  EXPECT_EQ(line.reactor_action, ReactorAction::kPause);
  EXPECT_EQ(line.reactor, "mail");
  EXPECT_EQ(line.address, "127.0.0.1:7");
  EXPECT_EQ(Parsed({"reactors", "resume", "mail"}).reactor_action, ReactorAction::kResume);
  EXPECT_EQ(Parsed({"reactors", "waiting", "mail"}).reactor_action, ReactorAction::kWaiting);
  line = Parsed({"reactors", "retry", "mail", "order/o1"});
  EXPECT_EQ(line.reactor_action, ReactorAction::kRetry);
  EXPECT_EQ(line.key, "order/o1");
  EXPECT_TRUE(Parsed({"reactors", "retry", "mail", "--all"}).all);
  line = Parsed({"reactors", "drop", "mail", "c1", "--stream", "order/o1", "--version", "3", "--reason", "why"});
  EXPECT_EQ(line.stream, "order/o1");
  EXPECT_EQ(line.reactor_action, ReactorAction::kDrop);
  EXPECT_EQ(line.version, 3u);
  EXPECT_EQ(line.reason, "why");
  line = Parsed({"reactors", "reset", "mail", "--to-head", "--reason", "why"});
  EXPECT_EQ(line.reactor_action, ReactorAction::kReset);
  EXPECT_TRUE(line.to_head);
  EXPECT_TRUE(Parsed({"reactors", "reset", "mail", "--as-it-was", "--reason", "why"}).as_it_was);
}

TEST(CommandLine, AsksForProcesses) {
  EXPECT_EQ(Parsed({"processes"}).verb, Verb::kProcesses);
  EXPECT_EQ(Parsed({"processes"}).process_action, ProcessAction::kList);
  EXPECT_EQ(Parsed({"processes"}).address, "127.0.0.1:50051");
  CommandLine line = Parsed({"processes", "pause", "fulfilment", "--address", "127.0.0.1:7"});
  EXPECT_EQ(line.process_action, ProcessAction::kPause);
  EXPECT_EQ(line.process, "fulfilment");
  EXPECT_EQ(line.address, "127.0.0.1:7");
  EXPECT_EQ(Parsed({"processes", "resume", "fulfilment"}).process_action, ProcessAction::kResume);
  EXPECT_EQ(Parsed({"processes", "parked", "fulfilment"}).process_action, ProcessAction::kParked);
  EXPECT_EQ(Parsed({"processes", "instances", "fulfilment", "--after", "k"}).after, "k");
  line = Parsed({"processes", "show", "fulfilment", "o1", "--tenant", "acme"});
  EXPECT_EQ(line.process_action, ProcessAction::kShow);
  EXPECT_EQ(line.instance, "o1");
  EXPECT_EQ(line.tenant, "acme");
  line = Parsed({"processes", "retry", "fulfilment", "$process_fulfilment/o1"});
  EXPECT_EQ(line.process_action, ProcessAction::kRetry);
  EXPECT_EQ(line.instance, "$process_fulfilment/o1");
  EXPECT_TRUE(Parsed({"processes", "retry", "fulfilment", "--all"}).all);
  line = Parsed({"processes", "drop", "fulfilment", "key", "--input", "timer 4/payment", "--reason", "why"});
  EXPECT_EQ(line.process_action, ProcessAction::kDrop);
  EXPECT_EQ(line.input, "timer 4/payment");
  EXPECT_EQ(line.reason, "why");
  EXPECT_TRUE(Parsed({"processes", "reset", "fulfilment", "--as-it-was", "--reason", "why"}).as_it_was);
}

TEST(CommandLine, ProcessesNeedWhatTheyAreToDo) {
  EXPECT_THAT(Refusal({"processes", "pause"}), HasSubstr("PROCESS"));
  EXPECT_THAT(Refusal({"processes", "show", "fulfilment"}), HasSubstr("INSTANCE"));
  EXPECT_THAT(Refusal({"processes", "retry", "fulfilment"}), HasSubstr("INSTANCE"));
  EXPECT_THAT(Refusal({"processes", "retry", "fulfilment", ""}), HasSubstr("all that wait are --all"));
  EXPECT_THAT(Refusal({"processes", "drop", "fulfilment", "key", "--reason", "why"}), HasSubstr("--input"));
  EXPECT_THAT(Refusal({"processes", "drop", "fulfilment", "key", "--input", "x"}), HasSubstr("--reason"));
}

TEST(CommandLine, ReactorsNeedWhatTheyAreToDo) {
  EXPECT_THAT(Refusal({"reactors", "pause"}), HasSubstr("REACTOR"));
  EXPECT_THAT(Refusal({"reactors", "retry", "mail"}), HasSubstr("KEY"));
  EXPECT_THAT(Refusal({"reactors", "retry", "mail", "order/o1", "--all"}), HasSubstr("KEY"));
  EXPECT_THAT(Refusal({"reactors", "reset", "mail", "--reason", "why"}), HasSubstr("--to-head"));
  EXPECT_THAT(Refusal({"reactors", "reset", "mail", "--to-head", "--as-it-was", "--reason", "why"}),
              HasSubstr("--to-head"));
  EXPECT_THAT(Refusal({"reactors", "reset", "mail", "--to-head"}), HasSubstr("--reason"));
  EXPECT_THAT(Refusal({"reactors", "drop", "mail", "order/o1", "--reason", "why"}), HasSubstr("--version"));
}

TEST(CommandLine, MakesNoStoreInADirectoryThatNobodyNamed) {
  EXPECT_THAT(Refusal({"restore", "b"}), HasSubstr("--data is required"));
  EXPECT_THAT(Refusal({"salvage", "s"}), HasSubstr("--data is required"));
  EXPECT_THAT(Refusal({"import", "f"}), HasSubstr("--data is required"));
  EXPECT_THAT(Refusal({"export"}), HasSubstr("FILE is required"));
  EXPECT_THAT(Refusal({"backup"}), HasSubstr("DIRECTORY is required"));
  EXPECT_THAT(Refusal({"restore", "b", "--data", "d", "--backup", "0"}), HasSubstr("--backup"));
}

TEST(CommandLine, TellsItsVersion) {
  EXPECT_EQ(Parsed({"version"}).verb, Verb::kVersion);
  EXPECT_EQ(Parsed({"--version"}).verb, Verb::kVersion);
}

TEST(CommandLine, RefersToTheHelpOfTheVerbThatWasUsed) {
  const auto hint = [](const std::vector<std::string>& arguments) {
    const std::string refusal = Refusal(arguments);
    return refusal.substr(refusal.rfind('\n') + 1);
  };
  EXPECT_EQ(hint({"sevre"}), "Run 'wallet --help' for what there is.");
  EXPECT_EQ(hint({"--port", "1"}), "Run 'wallet serve --help' for what there is.");
  EXPECT_EQ(hint({"projections", "stop"}), "Run 'wallet projections --help' for what there is.");
  EXPECT_EQ(hint({"projections", "pause"}), "Run 'wallet projections pause --help' for what there is.");
  EXPECT_EQ(hint({"parked"}), "Run 'wallet parked --help' for what there is.");
  EXPECT_EQ(hint({"parked", "drop", "balances", "w1"}), "Run 'wallet parked drop --help' for what there is.");
  EXPECT_EQ(hint({"backup"}), "Run 'wallet backup --help' for what there is.");
}

TEST(CommandLine, HelpNamesEveryVerbAndTheExitCodes) {
  for (const char* const argument : {"--help", "-h"}) {
    const CommandLine line = Parsed({argument});
    EXPECT_EQ(line.verb, Verb::kHelp);
    for (const char* const text : {"serve", "rebuild", "rebuild-index", "verify", "backup", "restore", "salvage",
                                   "export", "import", "version", "Exit codes"}) {
      EXPECT_THAT(line.help, HasSubstr(text));
    }
  }
}

TEST(CommandLine, HelpOfAVerbNamesItsOptionsWithTheirDefaults) {
  const CommandLine line = Parsed({"serve", "--help"});
  EXPECT_EQ(line.verb, Verb::kHelp);
  for (const char* const text :
       {"--data", "./.everfold/wallet", "--listen", "127.0.0.1:50051", "--partitions", "--threads", "--log-level"}) {
    EXPECT_THAT(line.help, HasSubstr(text));
  }
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Refusal({"sevre"}),
            "there is no command 'sevre'; there is: serve, rebuild, rebuild-index, projections, parked, reactors, "
            "processes, verify, backup, restore, salvage, export, import, version\n"
            "Run 'wallet --help' for what there is.");
  EXPECT_THAT(Refusal({"--port", "1"}), HasSubstr("--port"));
  EXPECT_THAT(Refusal({"verify", "--listen", "127.0.0.1:1"}), HasSubstr("--listen"));
}

TEST(CommandLine, RefusesValuesOutOfRange) {
  EXPECT_THAT(Refusal({"--partitions", "0"}), HasSubstr("--partitions"));
  EXPECT_THAT(Refusal({"--partitions", "1025"}), HasSubstr("1024"));
  EXPECT_THAT(Refusal({"--threads", "many"}), HasSubstr("--threads"));
  EXPECT_THAT(Refusal({"--log-level", "loud"}), HasSubstr("debug,info,warning,error"));
  EXPECT_THAT(Refusal({"--data"}), HasSubstr("--data"));
}

}  // namespace
}  // namespace everfold
