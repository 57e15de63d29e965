// append_until_killed DIRECTORY: appends to a log for as long as it lives, several appends outstanding, each to two
// partitions, and writes the number of the last acknowledged chunk to standard output, 8 bytes each, as soon as it is
// acknowledged.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "everfold/base/mutex.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/asio_executor.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

constexpr int kOutstanding = 8;

class Outstanding {
 public:
  void Begin() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Outstanding::HasRoom));
    ++count_;
  }
  void End() {
    MutexLock lock(&mutex_);
    --count_;
  }

 private:
  bool HasRoom() const { return count_ < kOutstanding; }
  Mutex mutex_;
  int count_ = 0;
};

void Acknowledge(const absl::Status& status, std::uint64_t chunk_number) {
  if (!status.ok()) {
    std::fprintf(stderr, "append failed: %s\n", status.ToString().c_str());
    std::_Exit(1);
  }
  if (write(STDOUT_FILENO, &chunk_number, sizeof(chunk_number)) != sizeof(chunk_number)) std::_Exit(1);
}

int Run(const char* directory) {
  SystemRandom random;
  AsioExecutor executor(1);
  EmbeddedLogOptions options;
  options.directory = directory;
  options.partitions = 4;
  options.reserved_bytes = 0;
  options.journal_file_bytes = 64 << 10;  // so that it is sealed again and again
  auto log = EmbeddedLog::Open(options, executor, random);
  if (!log.ok()) {
    std::fprintf(stderr, "%s\n", log.status().ToString().c_str());
    return 1;
  }
  Outstanding outstanding;
  PartitionHead head_a = (*log)->Head(PartitionId(0)), head_b = (*log)->Head(PartitionId(1));
  while (true) {
    outstanding.Begin();
    ChunkAppend a = MakeChunk(PartitionId(0), head_a), b = MakeChunk(PartitionId(1), head_b);
    head_a = a.new_head;
    head_b = b.new_head;
    (*log)->Append({std::move(a), std::move(b)}, [&, number = head_a.chunk_number](absl::Status status) {
      Acknowledge(status, number);
      outstanding.End();
    });
  }
}

}  // namespace
}  // namespace everfold

int main(int, char** arguments) { return everfold::Run(arguments[1]); }
