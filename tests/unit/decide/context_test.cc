#include "everfold/decide/context.h"

#include <gtest/gtest.h>

#include "everfold/decide/violations.h"

namespace everfold {
namespace {

TEST(ContextTest, TellsWhatDecideMayKnow) {
  const StreamId stream{.tenant = "acme", .aggregate = "wallet", .id = "w1"};
  const Metadata metadata{.correlation_id = "", .causation_id = "", .actor = "ada", .traceparent = "", .headers = {}};
  SeededRandom random(1);
  Context context(absl::UnixEpoch(), stream, Version(7), metadata, random);
  EXPECT_EQ(context.now(), absl::UnixEpoch());
  EXPECT_EQ(context.stream(), stream);
  EXPECT_EQ(context.tenant(), "acme");
  EXPECT_EQ(context.version(), Version(7));
  EXPECT_EQ(context.actor(), "ada");
}

TEST(ContextTest, MakesNewIdsThatTheSeedReplays) {
  const StreamId stream;
  const Metadata metadata;
  SeededRandom first_random(1), second_random(1);
  Context first(absl::UnixEpoch(), stream, Version(0), metadata, first_random);
  Context second(absl::UnixEpoch(), stream, Version(0), metadata, second_random);
  const std::string id = first.NewId();
  EXPECT_TRUE(IsUuid(id)) << id;
  EXPECT_NE(first.NewId(), id);
  EXPECT_EQ(second.NewId(), id);
}

}  // namespace
}  // namespace everfold
