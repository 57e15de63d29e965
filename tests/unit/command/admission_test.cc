#include "everfold/command/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

TEST(Admission, TakesSoManyAtOnce) {
  Admission admission(2, 1000);
  auto first = std::make_unique<Admission::Place>(admission.Enter(1).value());
  const Admission::Place second = admission.Enter(1).value();
  const absl::Status refused = admission.Enter(1).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), reason::kOverloaded);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("commands under way: 2"));
  google::rpc::RetryInfo retry;
  EXPECT_TRUE(FindDetail(refused, retry));
  first.reset();
  EXPECT_EQ(admission.commands(), 1u);
  EXPECT_TRUE(admission.Enter(1).ok());
}

TEST(Admission, TakesSoManyBytesAtOnce) {
  Admission admission(10, 100);
  auto first = std::make_unique<Admission::Place>(admission.Enter(60).value());
  EXPECT_THAT(std::string(admission.Enter(41).status().message()), HasSubstr("bytes of commands under way: 100"));
  EXPECT_TRUE(admission.Enter(40).ok());
  first.reset();
  EXPECT_TRUE(admission.Enter(5000).ok()) << "alone, whatever its bytes";
  EXPECT_EQ(admission.commands(), 0u);
}

// Found by AddressSanitizer in the simulation: in a crash the handler goes before the commands that it had taken.
TEST(Admission, MayGoBeforeItsPlaces) {
  auto admission = std::make_unique<Admission>(2, 1000);
  auto place = std::make_unique<Admission::Place>(admission->Enter(1).value());
  admission = nullptr;
  place = nullptr;
}

TEST(Admission, APlaceThatIsMovedIsGivenBackOnce) {
  Admission admission(1, 100);
  {
    Admission::Place place = admission.Enter(60).value();
    const Admission::Place moved = std::move(place);
    EXPECT_EQ(admission.commands(), 1u);
  }
  EXPECT_EQ(admission.commands(), 0u);
  EXPECT_TRUE(admission.Enter(100).ok());
}

}  // namespace
}  // namespace everfold
