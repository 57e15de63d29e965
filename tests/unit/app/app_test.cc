// The process as its user meets it: exit codes, messages, files.
#include "everfold/app/app.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "everfold/app/host.h"
#include "everfold/app/rebuild.h"
#include "everfold/app/verify.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/app/tally.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScratchDirectory;

class AppTest : public ::testing::Test {
 protected:
  // An application without parts.
  int Main(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "wallet");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return App("wallet").Main(static_cast<int>(argv.size()), argv.data());
  }

  std::string data() const { return directory_.path() + "/data"; }
  std::string socket() const { return "unix:" + directory_.path() + "/socket"; }

  // Commits `events` to the tally "t1".
  void Fill(std::size_t events) {
    auto host = Host::Open({.data_directory = data()});
    ASSERT_TRUE(host.ok()) << host.status();
    auto store =
        EventStore::Open(EventStoreOptions(), (*host)->log(), (*host)->executor(), (*host)->clock(), (*host)->random());
    ASSERT_TRUE(store.ok()) << store.status();
    Notification appended;
    (*store)->Append(CountedAppend("t1", events), [&appended](auto result) {
      EXPECT_TRUE(result.ok()) << result.status();
      appended.Notify();
    });
    appended.WaitForNotification();
    WaitForClose([&store](Task done) { (*store)->Close(std::move(done)); });
    EXPECT_EQ((*host)->Close(), absl::OkStatus());
  }

  CommandLine Line() const {
    CommandLine line;
    line.data_directory = data();
    return line;
  }

  ScratchDirectory directory_;
};

bool Answers(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials())
      ->WaitForConnected(std::chrono::system_clock::now() + std::chrono::minutes(1));
}

TEST_F(AppTest, ServesUntilItIsToldToStop) {
  int exit_code = -1;
  std::jthread app([&] { exit_code = Main({"--data", data(), "--listen", socket()}); });
  ASSERT_TRUE(Answers(socket()));
  ::kill(::getpid(), SIGTERM);
  app.join();
  EXPECT_EQ(exit_code, 0);
}

TEST_F(AppTest, StartsAgainOnItsData) {
  for (int run = 0; run < 2; ++run) {
    int exit_code = -1;
    std::jthread app([&] { exit_code = Main({"--data", data(), "--listen", socket()}); });
    ASSERT_TRUE(Answers(socket()));
    ::kill(::getpid(), SIGINT);
    app.join();
    EXPECT_EQ(exit_code, 0);
  }
}

TEST_F(AppTest, SaysThatAnAddressIsInUse) {
  const auto other = GrpcServer::Start({.addresses = {"127.0.0.1:0"}}, {});
  ASSERT_TRUE(other.ok()) << other.status();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"--data", data(), "--listen", (*other)->addresses()[0]}), 69);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("wallet: cannot listen on " + (*other)->addresses()[0] + ": address in use"));
  EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(AppTest, SaysThatItsDataIsInUse) {
  const auto host = Host::Open({.data_directory = data()});
  ASSERT_TRUE(host.ok()) << host.status();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"--data", data(), "--listen", socket()}), 75);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("holds it"));
  EXPECT_EQ((*host)->Close(), absl::OkStatus());
}

TEST_F(AppTest, SaysThatItCannotKeepDataThere) {
  std::ofstream(directory_.path() + "/file") << "a file";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"--data", directory_.path() + "/file/data", "--listen", socket()}), 2);
  EXPECT_EQ(
      ::testing::internal::GetCapturedStderr(),
      "wallet: cannot keep data in " + directory_.path() + "/file/data: " + directory_.path() +
          "/file: is not a directory; choose another directory with --data DIR, or have this one made writable\n");
}

TEST_F(AppTest, RefusesAWrongCommandLine) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"sevre"}), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Run 'wallet --help' for what there is."));
  EXPECT_EQ(Main({"--data", data(), "--listen", "nowhere"}), 2);
}

TEST_F(AppTest, PrintsItsVersion) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"version"}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("wallet, with Everfold "));
}

TEST_F(AppTest, VerifyPrintsWhatIsThere) {
  Fill(3);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, HasSubstr("      all            3            1            1\n"));
  EXPECT_THAT(printed, HasSubstr(data() + " is undamaged\n"));
}

void FlipByteInTheMiddle(const std::filesystem::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
  stream.seekg(middle);
  const char byte = static_cast<char>(stream.get() ^ 0x55);
  stream.seekp(middle);
  stream.put(byte);
}

TEST_F(AppTest, VerifyTellsOfAnIndexThatIsOfNoUse) {
  Fill(3);
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);  // builds the index
  FlipByteInTheMiddle(data() + "/index/db/CURRENT");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"verify", "--data", data()}), 74);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("found: the index: it began anew, because "));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("'salvage'"))) << "the log is whole";
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);
}

TEST_F(AppTest, VerifyReadsTheFilesOfTheIndex) {
  Fill(3);
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);
  std::string damaged;
  for (const auto& file : std::filesystem::directory_iterator(data() + "/index/db")) {
    if (file.path().extension() == ".sst") damaged = file.path();
  }
  ASSERT_FALSE(damaged.empty());
  FlipByteInTheMiddle(damaged);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"verify", "--data", data()}), 74);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("found: the index: " + damaged + " is damaged: "));
}

TEST_F(AppTest, RebuildIndexReadsEveryEvent) {
  Fill(3);
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);  // builds the index
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"rebuild-index", "--data", data()}), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "index: rebuilt from 3 events\n");
  EXPECT_TRUE(std::filesystem::exists(data() + "/index"));
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);
}

TEST_F(AppTest, BacksUpAndRestores) {
  Fill(3);
  const std::string backups = directory_.path() + "/backups", restored = directory_.path() + "/restored";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"backup", backups, "--data", data()}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("backup 1 holds 3 events; "));
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"restore", backups, "--data", restored}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("with 3 events to " + restored));
  EXPECT_EQ(Main({"verify", "--data", restored}), 0);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"restore", backups, "--data", restored}), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(restored + " is not empty"));
}

TEST_F(AppTest, SaysThatARestoreThatFailedLeavesADirectoryToDelete) {
  Fill(3);
  const std::string backups = directory_.path() + "/backups", restored = directory_.path() + "/restored";
  EXPECT_EQ(Main({"backup", backups, "--data", data()}), 0);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"restore", backups, "--data", restored, "--backup", "7"}), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("delete it")));
  for (const auto& file : std::filesystem::directory_iterator(backups + "/sealed/shared_checksum")) {
    FlipByteInTheMiddle(file.path());
  }
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"restore", backups, "--data", restored}), 74);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("; " + restored + " is incomplete, delete it\n"));
  EXPECT_FALSE(std::filesystem::exists(restored + "/log/identity"));
}

TEST_F(AppTest, RefusesDirectoriesInsideEachOther) {
  Fill(3);
  const std::string backups = directory_.path() + "/backups";
  EXPECT_EQ(Main({"backup", data() + "/backups", "--data", data()}), 2);
  EXPECT_EQ(Main({"salvage", data(), "--data", data() + "/saved"}), 2);
  EXPECT_EQ(Main({"backup", backups, "--data", data()}), 0);
  EXPECT_EQ(Main({"restore", backups, "--data", backups + "/restored"}), 2);
}

TEST_F(AppTest, SalvagesWhatAStoreThatDoesNotOpenHas) {
  Fill(3);
  EXPECT_EQ(Main({"verify", "--data", data()}), 0);
  std::filesystem::remove(data() + "/log/sealed/CURRENT");
  EXPECT_EQ(Main({"verify", "--data", data()}), 74);
  const std::string saved = directory_.path() + "/saved";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"salvage", data(), "--data", saved}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr("kept all commits up to 1, with 3 events; nothing is missing\n"));
  EXPECT_EQ(Main({"verify", "--data", saved}), 0);
}

TEST_F(AppTest, VerifiesAndBacksUpWhileItServes) {
  Fill(3);
  const std::string backups = directory_.path() + "/backups";
  std::jthread app([&] { EXPECT_EQ(Main({"--data", data(), "--listen", socket()}), 0); });
  ASSERT_TRUE(Answers(socket()));
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"verify", "--address", socket()}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr("      all            3            1            1\n"));
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Main({"backup", backups, "--address", socket()}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("backup 1 holds 3 events; "));
  ::kill(::getpid(), SIGTERM);
}

TEST_F(AppTest, SaysThatNobodyAnswers) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Main({"verify", "--address", socket()}), 70);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("wallet: the application at " + socket() + " could not be reached"));
}

TEST_F(AppTest, SaysWhatToDoAboutAStoreThatIsInUse) {
  Fill(1);
  const auto host = Host::Open({.data_directory = data()});
  ASSERT_TRUE(host.ok()) << host.status();
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"verify"}, {"backup", data() + "-backups"}}) {
    std::vector<std::string> arguments = verb;
    arguments.insert(arguments.end(), {"--data", data()});
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Main(arguments), 75);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("holds it; stop it, or ask it with --address\n"));
  }
  EXPECT_EQ((*host)->Close(), absl::OkStatus());
}

TEST_F(AppTest, SaysWhatToDoAboutDamage) {
  Fill(1);
  std::filesystem::remove(data() + "/log/identity");
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"verify"}, {"rebuild-index"}, {"serve"}}) {
    std::vector<std::string> arguments = verb;
    arguments.insert(arguments.end(), {"--data", data()});
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Main(arguments), 74);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("\nBefore anything else, copy the directory"));
  }
}

TEST_F(AppTest, RefusesWhatIsNoAddress) {
  for (const std::string address : {"nowhere", ":1", "localhost:", "localhost:70000", "unix:"}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Main({"backup", directory_.path() + "/backups", "--address", address}), 2);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("'" + address + "' is not the address of"));
  }
}

TEST_F(AppTest, VerifyAndRebuildWantAStore) {
  for (const std::string verb : {"verify", "rebuild", "rebuild-index"}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Main({verb, "--data", data()}), 2);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "wallet: there is no store in " + data() + "; name its directory with --data DIR\n");
    EXPECT_FALSE(std::filesystem::exists(data()));
  }
}

TEST_F(AppTest, RebuildReadsEveryEvent) {
  Fill(3);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Rebuild("wallet", TallyParts(), Line()), ExitCode::kOk);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "tallies: rebuilt from 3 events\n");
  EXPECT_TRUE(std::filesystem::exists(data() + "/read/tallies"));
}

TEST_F(AppTest, RebuildStartsFromNothing) {
  Fill(3);
  std::filesystem::create_directories(data() + "/read/tallies");
  std::ofstream(data() + "/read/tallies/1.db") << "no database";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Rebuild("wallet", TallyParts(), Line()), ExitCode::kOk);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "tallies: rebuilt from 3 events\n");
}

TEST_F(AppTest, RebuildOfAnUnknownProjectionNamesTheKnown) {
  Fill(1);
  CommandLine line = Line();
  line.projections = {"balances"};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Rebuild("wallet", TallyParts(), line), ExitCode::kUsage);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "wallet: there is no projection balances; there is: tallies\n");
}

}  // namespace
}  // namespace everfold
