#include "everfold/rpc/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everfold {
namespace {

using testing::HasSubstr;

TEST(CheckListenAddress, TakesAFreePort) { EXPECT_EQ(CheckListenAddress("127.0.0.1:0"), absl::OkStatus()); }

TEST(CheckListenAddress, SaysHowAnAddressIsWritten) {
  for (const char* const address :
       {"", "50051", ":50051", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:65536", "unix:"}) {
    const absl::Status status = CheckListenAddress(address);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr("give HOST:PORT")) << address;
  }
}

TEST(CheckListenAddress, RefusesAnAddressOfAnotherMachine) {
  const absl::Status status = CheckListenAddress("192.0.2.1:50051");  // TEST-NET-1, RFC 5737
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "cannot listen on 192.0.2.1:50051: Cannot assign requested address");
}

TEST(CheckListenAddress, RefusesAPathThatIsTooLong) {
  const absl::Status status = CheckListenAddress("unix:/" + std::string(200, 'x'));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("at most 107 bytes"));
}

TEST(WithPort, ReplacesThePortOnly) {
  EXPECT_EQ(WithPort("127.0.0.1:0", 4711), "127.0.0.1:4711");
  EXPECT_EQ(WithPort("[::1]:0", 4711), "[::1]:4711");
  EXPECT_EQ(WithPort("unix:/tmp/a:0", 4711), "unix:/tmp/a:0");
}

}  // namespace
}  // namespace everfold
