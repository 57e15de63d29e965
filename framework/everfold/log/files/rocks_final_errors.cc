#include "everfold/log/files/rocks_final_errors.h"

#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <memory>

namespace everfold {
namespace {

class NoRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

}  // namespace

void StopAtFirstError(rocksdb::DBOptions& options) {
  options.max_bgerror_resume_count = 0;                         // of errors that may pass
  options.listeners.push_back(std::make_shared<NoRecovery>());  // of a full disk
}

}  // namespace everfold
