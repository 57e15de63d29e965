#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "tests/contract/partition_log_contract.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;

class EmbeddedBackend final : public LogBackend {
 public:
  absl::StatusOr<std::unique_ptr<PartitionLog>> Open(std::uint32_t partitions) override {
    EmbeddedLogOptions options;
    options.directory = Store();
    options.partitions = partitions;
    options.reserved_bytes = 0;
    return EmbeddedLog::Open(options, executor_, random_);
  }
  // What the files hold while the log is still at work is what a process leaves that is killed.
  void Crash(std::unique_ptr<PartitionLog> log) override {
    const std::string before = Store();
    ++crashes_;
    fs::copy(before, Store(), fs::copy_options::recursive);
    log = nullptr;
  }
  bool Await(const Notification& event) override { return event.WaitForNotificationWithTimeout(absl::Minutes(1)); }

 private:
  std::string Store() const { return scratch_.path() / std::to_string(crashes_); }

  ScratchDirectory scratch_;
  SystemRandom random_;
  AsioExecutor executor_{1};
  int crashes_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Embedded, PartitionLogContract,
                         testing::Values([] { return std::make_unique<EmbeddedBackend>(); }));

}  // namespace
}  // namespace everfold
