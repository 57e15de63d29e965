#include "everfold/log/files/rocks_info_log.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>

#include "absl/time/time.h"
#include "everfold/base/clock.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxLineBytes = 4096;

class InfoLog final : public rocksdb::Logger {
 public:
  explicit InfoLog(int fd) : fd_(fd) {}
  ~InfoLog() override { close(fd_); }

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[kMaxLineBytes];
    vsnprintf(text, sizeof(text), format, arguments);
    std::string line = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ ", SystemClock().Now(), absl::UTCTimeZone()) + text;
    if (line.back() != '\n') line.push_back('\n');
    if (write(fd_, line.data(), line.size()) > 0) bytes_.fetch_add(line.size(), std::memory_order_relaxed);
  }
  std::size_t GetLogFileSize() const override { return bytes_.load(std::memory_order_relaxed); }

 private:
  const int fd_;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> OpenInfoLog(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  return fd < 0 ? nullptr : std::make_shared<InfoLog>(fd);
}

}  // namespace everfold
