// However the log is cut into batches, and however often a projection is stopped, killed and handed the same events
// again, it comes to what one pass over the log comes to.
//
// EVERFOLD_SPLIT_CASES=n: so many cases of each number of partitions.
#include <cstdlib>
#include <filesystem>

#include "everfold/base/random.h"
#include "everfold/projection/projection.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

std::uint64_t Cases() {
  const char* value = std::getenv("EVERFOLD_SPLIT_CASES");
  return value == nullptr ? 30 : std::strtoull(value, nullptr, 10);
}

// One row a remainder, fed from every account and so from all partitions; the order counts.
struct Remainders {
  static constexpr ProjectionOptions kOptions{.name = "balances", .revision = 1};
  using Events = Types<Credited, Debited>;
  using ReadModels = Tables<Balance>;
  static void On(const Credited& e, const EventContext&, ReadModels& t) { Mix(e.value(), 1, t); }
  static void On(const Debited& e, const EventContext&, ReadModels& t) {
    if (e.value() % 17 == 5) throw std::runtime_error("five");
    Mix(static_cast<std::int64_t>(e.value()), 2, t);
  }
  static std::string Key(const Debited& e, const EventContext&) { return absl::StrFormat("%d", e.value() % 3); }
  static std::string Key(const Credited& e, const EventContext&) { return absl::StrFormat("%d", e.value() % 3); }

 private:
  static void Mix(std::int64_t value, std::int64_t kind, ReadModels& t) {
    t.Of<Balance>().Edit(absl::StrFormat("%d", value % 3), [&](Balance& row) {
      row.minor = (row.minor * 31 + value * kind) % 1'000'003;
      ++row.events;
      if (row.events % 50 == 49) row.minor = -row.minor;
    });
    if (value % 7 == 0) t.Of<Balance>().Remove("gone");
    if (value % 7 == 1) t.Of<Balance>().Edit("gone", [&](Balance& row) { row.minor += value; });
  }
};

// Handlers that commute: rows that are fed from all partitions, and rows of one stream each, in whose order they are
// made and removed.
struct Sums {
  static constexpr ProjectionOptions kOptions{
      .name = "balances", .revision = 1, .order = ProjectionOrder::kPerPartition};
  using Events = Types<Credited, Debited>;
  using ReadModels = Tables<Balance>;
  static void On(const Credited& e, const EventContext& c, ReadModels& t) {
    Add(absl::StrFormat("%d", e.value() % 3), e.value(), t);
    t.Of<Balance>().Edit(c.id, [&e](Balance& row) { row.minor = row.minor * 31 % 1'000'003 + e.value(); });
  }
  static void On(const Debited& e, const EventContext& c, ReadModels& t) {
    if (e.value() % 17 == 5) throw std::runtime_error("five");
    Add(absl::StrFormat("%d", e.value() % 3), -static_cast<std::int64_t>(e.value()), t);
    t.Of<Balance>().Remove(c.id);
  }

 private:
  static void Add(const std::string& account, std::int64_t minor, ReadModels& t) {
    t.Of<Balance>().Edit(account, [minor](Balance& row) {
      row.minor += minor;
      ++row.events;
    });
  }
};

class Split {
 public:
  Split(std::uint64_t seed, std::uint32_t partitions) : random_(seed), ledger_(seed, partitions) {}

  // What is different, if anything.
  std::string Run(const ProjectionType& type) {
    for (int stretch = 0; stretch < 4; ++stretch) {
      ledger_.Trade(static_cast<int>(random_.Below(40)));
      Follow(type);
      End();
    }
    Follow(type);
    ledger_.executor().RunUntilIdle();
    const std::string split = Dump(ledger_.projection().path());
    ledger_.CloseProjection();
    std::filesystem::remove_all(ledger_.directory() + "/balances");
    ledger_.RunProjection(type, 1'000'000);
    const std::string whole = Dump(ledger_.projection().path());
    return split == whole ? "" : "in one pass:\n" + whole + "\nin parts:\n" + split;
  }

 private:
  // Some steps of it.
  void Follow(const ProjectionType& type) {
    const absl::Status opened = ledger_.OpenProjection(type, 1 + random_.Below(random_.Below(2) == 0 ? 5 : 200));
    ASSERT_TRUE(opened.ok()) << opened;
    ledger_.projection().Start();
    if (random_.Below(3) == 0) ledger_.projection().Rebuild([](const absl::Status&) {});
    for (std::uint64_t steps = random_.Below(30); steps > 0; --steps) ledger_.executor().RunOne();
  }

  // In order, or by a crash, after which an older image of the files may be all there is: its events come again.
  void End() {
    const std::string folder = ledger_.directory() + "/balances", image = ledger_.directory() + "/image";
    if (random_.Below(2) == 0) {
      ledger_.CloseProjection();
      return;
    }
    std::filesystem::remove_all(image);
    std::filesystem::copy(folder, image);
    if (random_.Below(2) == 0) ledger_.executor().RunUntilIdle();  // is forgotten
    ledger_.Crash();
    std::filesystem::remove_all(folder);
    std::filesystem::rename(image, folder);
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().extension() == ".db-shm") std::filesystem::remove(file.path());
    }
    ledger_.OpenStore();
  }

  SeededRandom random_;
  Ledger ledger_;
};

class SplitTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(SplitTest, ComesToTheSameAsOnePass) {
  for (std::uint64_t seed = 1; seed <= Cases(); ++seed) {
    ASSERT_EQ(Split(seed, GetParam()).Run(MakeProjectionType<Remainders>()), "") << "seed " << seed;
  }
}

TEST_P(SplitTest, ComesToTheSamePartitionByPartition) {
  for (std::uint64_t seed = 1; seed <= Cases(); ++seed) {
    ASSERT_EQ(Split(seed, GetParam()).Run(MakeProjectionType<Sums>()), "") << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Partitions, SplitTest, ::testing::Values(1, 4, 16));

}  // namespace
}  // namespace everfold
