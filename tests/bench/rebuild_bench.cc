// Read models built from the whole log, beside the better of two bare ways to come to the same rows.
#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "tests/bench/bare_rows.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"
#include "tests/bench/order_log.h"

namespace everfold::bench {
namespace {

struct Size {
  std::uint64_t events;
  std::uint32_t orders;
  std::string name;
};

Size SizeOf(std::uint64_t millions) {
  return {.events = millions * 1'000'000,
          .orders = static_cast<std::uint32_t>(millions * 100'000),
          .name = absl::StrFormat("%d M events, %d k rows", millions, millions * 100)};
}

std::vector<Size> SizesOf(const RunOptions& options) {
  if (options.quick) return {{20'000, 2'000, "small"}};
  const std::uint64_t millions = options.events / 1'000'000;
  if (millions <= 1) return {SizeOf(1)};
  return {SizeOf(1), SizeOf(millions)};
}

struct Built {
  absl::Duration first;  // the first version, which is queried while it follows the log
  absl::Duration took;
  std::uint64_t memory = 0;  // most of it at a time, above what was in use before
};

// A new version beside one that is up to date, until it is queried.
absl::StatusOr<Built> Rebuild(OpenStore& store, const std::string& directory) {
  Built built;
  const std::int64_t opened = NowNanos();
  EVERFOLD_ASSIGN_OR_RETURN(const auto projection, FollowOrders(store, directory));
  built.first = absl::Nanoseconds(NowNanos() - opened);
  const std::uint64_t before = ResidentBytes();
  absl::Status status;
  Notification done;
  const std::int64_t began = NowNanos();
  projection->Rebuild([&](absl::Status result) {
    status = std::move(result);
    built.took = absl::Nanoseconds(NowNanos() - began);
    done.Notify();
  });
  while (!done.WaitForNotificationWithTimeout(absl::Milliseconds(20))) {
    const std::uint64_t now = ResidentBytes();
    built.memory = std::max(built.memory, now - std::min(before, now));
  }
  CloseProjection(*projection);
  EVERFOLD_RETURN_IF_ERROR(status);
  return built;
}

absl::Status MeasureSize(Run& run, const Size& size) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory,
                            run.scratch.MakeDirectory(absl::StrFormat("orders%d", size.events)));
  Progress(absl::StrFormat("%s: filling the log", size.name));
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, 2));
  EVERFOLD_RETURN_IF_ERROR(FillWithOrders(*store, size.orders, size.events));
  EVERFOLD_ASSIGN_OR_RETURN(
      const auto scan,
      BareScan::Learn(LogDirectory(directory), store->log().identity().partitions, store->store().types()));
  std::vector<double> ours, first, upserts, loads;
  std::uint64_t memory = 0;
  const int rounds = run.options.quick ? 1 : std::min(run.options.rounds, 3);
  for (int i = 0; i < rounds; ++i) {
    const auto rate = [&size](absl::Duration took) {
      return static_cast<double>(size.events) / absl::ToDoubleSeconds(took);
    };
    EVERFOLD_ASSIGN_OR_RETURN(const absl::Duration upserted,
                              BareUpserts(directory + "/bare.db", size.orders, size.events));
    EVERFOLD_ASSIGN_OR_RETURN(const absl::Duration loaded,
                              BareReplayAndLoad(*scan, directory + "/bare.db", size.orders, size.events));
    EVERFOLD_ASSIGN_OR_RETURN(const Built built, Rebuild(*store, absl::StrFormat("%s/read%d", directory, i)));
    upserts.push_back(rate(upserted));
    loads.push_back(rate(loaded));
    ours.push_back(rate(built.took));
    first.push_back(rate(built.first));
    memory = std::max(memory, built.memory);
  }
  const double rebuilt = MedianOf(ours);
  run.figures.Add({.name = absl::StrFormat("rebuild, %s", size.name),
                   .value = rebuilt,
                   .unit = "events/s",
                   .ceiling = std::max(MedianOf(upserts), MedianOf(loads)),
                   .goal = RatioAtLeast(0.8)});
  run.figures.Add({.name = absl::StrFormat("rebuild, %s, beside bare upserts", size.name),
                   .value = rebuilt,
                   .unit = "events/s",
                   .ceiling = MedianOf(upserts)});
  run.figures.Add({.name = absl::StrFormat("rebuild, %s, beside bare replay and load", size.name),
                   .value = rebuilt,
                   .unit = "events/s",
                   .ceiling = MedianOf(loads)});
  run.figures.Add(
      {.name = absl::StrFormat("rebuild, %s, for a million events", size.name), .value = 1e6 / rebuilt, .unit = "s"});
  run.figures.Add({.name = absl::StrFormat("rebuild, %s, memory", size.name),
                   .value = static_cast<double>(memory) / 1e6,
                   .unit = "MB"});
  run.figures.Add({.name = absl::StrFormat("a new projection catches up with %s", size.name),
                   .value = MedianOf(first),
                   .unit = "events/s"});
  return store->Close();
}

}  // namespace

absl::Status BenchRebuild(Run& run) {
  run.figures.Section("read models built anew");
  for (const Size& size : SizesOf(run.options)) EVERFOLD_RETURN_IF_ERROR(MeasureSize(run, size));
  run.figures.Remark("a second version, beside the first one, which has read the log and follows it");
  return absl::OkStatus();
}

}  // namespace everfold::bench
