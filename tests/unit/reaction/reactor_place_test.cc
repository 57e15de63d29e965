#include "everfold/reaction/reactor_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

TEST(ReactorPlace, IsWhatWasKept) {
  const ReactorPlace place{
      .checkpoint = {.epoch = {std::string("\0\xff 23456789abcdef", 16)}, .offsets = {Offset(7), Offset(), Offset(1)}},
      .keys = {{.key = "t:account/a",
                .at = {.stream = {"t", "account", "a"},
                       .version = Version(3),
                       .position = {PartitionId(2), Offset(1)},
                       .sequence = Sequence(9)},
                .passed = false,
                .attempts = 2,
                .error = "UNAVAILABLE: down",
                .next_attempt = absl::FromUnixMicros(1767225600123456),
                .parked = false},
               {.key = "b",
                .at = {.stream = {"", "account", "b"},
                       .version = Version(1),
                       .position = {PartitionId(0), Offset(7)},
                       .sequence = Sequence(8)},
                .passed = true}},
      .paused = true};
  Mailbox mailbox;
  mailbox.Append("$reactor/mailer", {EventOf(place)});
  std::optional<ReactorPlace> read;
  ASSERT_TRUE(mailbox.store()
                  .ReadStream({"", "$reactor", "mailer"}, {},
                              [&read](const RecordedEvent& event) {
                                read = ReactorPlaceOf(event).value();
                                return absl::OkStatus();
                              })
                  .ok());
  EXPECT_EQ(read, place);
}

// As much as can wait, with names and errors as long as they may be.
TEST(ReactorPlace, IsNeverTooLargeForAnEvent) {
  const ReactorRunnerOptions options;
  const std::size_t keys = 2 * options.max_events_in_hand + options.max_waiting_keys + options.max_parked_keys;
  ReactorPlace place{
      .checkpoint = {.epoch = {std::string(16, 'e')}, .offsets = std::vector<Offset>(1024, Offset(1'000'000'000'000))}};
  for (std::size_t i = 0; i < keys; ++i) {
    place.keys.push_back({.key = std::string(500, 'k'),
                          .at = {.stream = {std::string(64, 't'), std::string(64, 'a'), std::string(200, 'i')},
                                 .version = Version(1'000'000'000),
                                 .position = {PartitionId(1023), Offset(1'000'000'000'000)},
                                 .sequence = Sequence(1'000'000'000'000)},
                          .attempts = 1000,
                          .error = std::string(kMaxReactorErrorBytes, 'e'),
                          .next_attempt = absl::FromUnixMicros(1767225600123456)});
  }
  EXPECT_LE(EventOf(place).payload.size(), kMaxEventBytes);
}

}  // namespace
}  // namespace everfold
