#include "everfold/store/index/forgotten_commands.h"

#include <rocksdb/compaction_filter.h>

#include <string>

namespace everfold {
namespace {

class ByDay final : public rocksdb::CompactionFilter {
 public:
  explicit ByDay(const std::atomic<Day>& first) : first_(first) {}

  const char* Name() const override { return "everfold.ForgottenCommands"; }
  bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& /*value*/, std::string* /*new_value*/,
              bool* /*value_changed*/) const override {
    return key.size() >= kCommandPrefixBytes &&
           DayOfCommand(key.ToStringView()) < first_.load(std::memory_order_relaxed);
  }

 private:
  const std::atomic<Day>& first_;
};

}  // namespace

ForgottenCommands::ForgottenCommands() : filter_(std::make_unique<ByDay>(first_)) {}

ForgottenCommands::~ForgottenCommands() = default;

}  // namespace everfold
