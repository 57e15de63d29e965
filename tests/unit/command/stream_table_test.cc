#include "everfold/command/stream_table.h"

#include <gtest/gtest.h>

#include "wallet/v1/wallet.pb.h"

namespace everfold {
namespace {

StreamId Wallet(const std::string& id) { return {"", "wallet", id}; }

// As if a command had left the stream at that version.
void Use(StreamTable& table, const std::string& id, std::uint64_t version) {
  StreamSlot& slot = table.Take(Wallet(id));
  slot.state = {Version(version), std::make_unique<wallet::v1::Wallet>()};
  table.Return(slot);
}

// 0 if it is not known.
std::uint64_t KnownVersion(StreamTable& table, const std::string& id) {
  StreamSlot& slot = table.Take(Wallet(id));
  const bool known = slot.state.message != nullptr;
  const std::uint64_t version = known ? slot.state.version.value() : 0;
  table.Return(slot);
  return version;
}

TEST(StreamTable, KeepsTheStateOfAStreamWithoutCommands) {
  StreamTable table(1 << 20);
  Use(table, "w1", 3);
  EXPECT_EQ(KnownVersion(table, "w1"), 3u);
  EXPECT_EQ(KnownVersion(table, "w2"), 0u);
  EXPECT_EQ(table.size(), 1u) << "what has no state is not kept";
}

TEST(StreamTable, CountsAStateOnce) {
  StreamTable table(1 << 20);
  Use(table, "w1", 3);
  const std::size_t bytes = table.idle_bytes();
  Use(table, "w1", 4);
  EXPECT_EQ(table.idle_bytes(), bytes);
  StreamSlot& slot = table.Take(Wallet("w1"));
  EXPECT_EQ(table.idle_bytes(), 0u) << "it has commands";
  table.Return(slot);
}

TEST(StreamTable, ForgetsTheLeastRecentlyUsedBeyondItsBytes) {
  StreamTable measure(1 << 20);
  Use(measure, "w1", 1);
  StreamTable table(measure.idle_bytes() * 2);
  Use(table, "w1", 1);
  Use(table, "w2", 1);
  Use(table, "w1", 2);
  Use(table, "w3", 1);
  EXPECT_EQ(KnownVersion(table, "w2"), 0u);
  EXPECT_EQ(KnownVersion(table, "w1"), 2u);
  EXPECT_EQ(KnownVersion(table, "w3"), 1u);
}

TEST(StreamTable, KeepsNothingLargerThanItself) {
  StreamTable table(1);
  Use(table, "w1", 1);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.idle_bytes(), 0u);
}

TEST(StreamTable, OneThatIsTooLargeDoesNotDriveOutTheOthers) {
  StreamTable measure(1 << 20);
  Use(measure, "w1", 1);
  StreamTable table(measure.idle_bytes() * 2);
  Use(table, "w1", 1);
  StreamSlot& large = table.Take(Wallet("w2"));
  auto state = std::make_unique<wallet::v1::Wallet>();
  state->set_wallet_id(std::string(10'000, 'w'));
  large.state = {Version(1), std::move(state)};
  table.Return(large);
  EXPECT_EQ(KnownVersion(table, "w2"), 0u);
  EXPECT_EQ(KnownVersion(table, "w1"), 1u);
}

TEST(StreamTable, NeverForgetsAStreamWithCommands) {
  StreamTable table(1);
  StreamSlot& slot = table.Take(Wallet("w1"));
  slot.state = {Version(7), std::make_unique<wallet::v1::Wallet>()};
  Use(table, "w2", 1);
  EXPECT_EQ(&table.Take(Wallet("w1")), &slot);
  EXPECT_EQ(slot.state.version, Version(7));
  table.Return(slot);
}

// Found by a review: they came on top of the limit.
TEST(StreamTable, StatesOfStreamsWithCommandsCountAsWell) {
  StreamTable measure(1 << 20);
  Use(measure, "w1", 1);
  const std::size_t one = measure.idle_bytes();
  StreamTable table(one * 3);
  Use(table, "w1", 1);
  Use(table, "w2", 1);
  StreamSlot& busy = table.Take(Wallet("w3"));
  EXPECT_EQ(table.busy_bytes(), 0u) << "it has no state yet";
  busy.state = {Version(1), std::make_unique<wallet::v1::Wallet>()};
  table.Measure(busy);
  EXPECT_EQ(table.busy_bytes(), one);
  EXPECT_EQ(table.idle_bytes(), 2 * one);
  // It grows while it is at work, and drives out the others.
  dynamic_cast<wallet::v1::Wallet&>(*busy.state.message).set_wallet_id(std::string(10'000, 'w'));
  table.Measure(busy);
  EXPECT_GT(table.busy_bytes(), 10'000u);
  EXPECT_EQ(table.idle_bytes(), 0u);
  busy.state.message = nullptr;
  table.Return(busy);
  EXPECT_EQ(table.busy_bytes(), 0u);
  Use(table, "w1", 1);
  StreamSlot& again = table.Take(Wallet("w1"));
  EXPECT_EQ(table.busy_bytes(), one);
  EXPECT_EQ(table.idle_bytes(), 0u);
  table.Return(again);
  EXPECT_EQ(table.busy_bytes(), 0u);
  EXPECT_EQ(table.idle_bytes(), one);
}

}  // namespace
}  // namespace everfold
