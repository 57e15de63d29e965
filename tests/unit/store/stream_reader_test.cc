#include "everfold/store/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/runtime/manual_executor.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const StreamId kOne{"", "jar", "j1"};
const StreamId kTwo{"", "jar", "j2"};

class StreamReaderTest : public ::testing::Test {
 protected:
  // A commit a number, with so many events.
  void Append(const StreamId& stream, std::initializer_list<std::size_t> commits) {
    for (const std::size_t events : commits) {
      log_.AppendGroup({.command = {}, .streams = {{stream, std::vector<std::vector<std::string>>(events)}}});
    }
  }

  std::vector<std::uint64_t> VersionsAfter(std::uint64_t after) {
    std::string began_anew;
    const auto index = *StoreIndex::Open({}, log_.identity(), *strand_, began_anew);
    EXPECT_EQ(RecoverIndex(log_, *index, nullptr), absl::OkStatus());
    std::vector<std::uint64_t> versions;
    EXPECT_EQ(ReadStreamEvents(log_, *index, kOne, Version(after),
                               [&versions](const RecordedEvent& event) {
                                 versions.push_back(event.version.value());
                                 return absl::OkStatus();
                               }),
              absl::OkStatus());
    return versions;
  }

  ManualExecutor executor_{1};
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  IndexLog log_{4};
};

TEST_F(StreamReaderTest, ReadsEachVersionOnce) {
  Append(kOne, {2, 1});
  Append(kTwo, {5});
  Append(kOne, {3});
  EXPECT_THAT(VersionsAfter(0), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(VersionsAfter(4), ElementsAre(5, 6));
  EXPECT_THAT(VersionsAfter(6), IsEmpty());
}

TEST_F(StreamReaderTest, PassesErasedVersions) {
  Append(kOne, {2, 1, 2, 1, 1, 2});
  log_.Erase(Sequence(1));
  log_.Erase(Sequence(3));
  log_.Erase(Sequence(4));
  log_.Erase(Sequence(6));
  EXPECT_THAT(VersionsAfter(0), ElementsAre(3, 7));
  EXPECT_THAT(VersionsAfter(1), ElementsAre(3, 7));
  EXPECT_THAT(VersionsAfter(4), ElementsAre(7));
  EXPECT_THAT(VersionsAfter(7), IsEmpty());
}

// More of them than places are asked for at once.
TEST_F(StreamReaderTest, PassesManyErasedVersions) {
  constexpr std::uint64_t kErased = 1100;
  for (std::uint64_t i = 0; i < kErased; ++i) Append(kOne, {1});
  for (std::uint64_t i = 1; i <= kErased; ++i) log_.Erase(Sequence(i));
  Append(kOne, {1});
  EXPECT_THAT(VersionsAfter(0), ElementsAre(kErased + 1));
}

}  // namespace
}  // namespace everfold
