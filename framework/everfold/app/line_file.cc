#include "everfold/app/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/log/files/file_error.h"

namespace everfold {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr char kStandard[] = "-";

absl::Status CannotOpen(const std::string& path, int error_number) {
  return absl::InvalidArgumentError(absl::StrFormat("cannot open %s: %s", path, std::strerror(error_number)));
}

absl::Status CannotMake(const std::string& path, int error_number) {
  if (error_number == EEXIST) return absl::InvalidArgumentError(path + " is there already, choose another name");
  return absl::InvalidArgumentError(absl::StrFormat("cannot make %s: %s", path, std::strerror(error_number)));
}

bool IsStandard(const std::FILE* file) { return file == stdin || file == stdout; }

}  // namespace

void CloseFile::operator()(std::FILE* file) const {
  if (!IsStandard(file)) std::fclose(file);
}

absl::StatusOr<LineWriter> LineWriter::Create(const std::string& path) {
  if (path == kStandard) return LineWriter("stdout", FilePtr(stdout));
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return CannotMake(path, errno);
  return LineWriter(path, FilePtr(::fdopen(descriptor, "w")));
}

LineWriter::~LineWriter() {
  if (file_ != nullptr && !IsStandard(file_.get())) ::unlink(path_.c_str());
}

absl::Status LineWriter::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return absl::OkStatus();
  return FileError("write", path_, errno);
}

absl::Status LineWriter::Finish() {
  if (std::fflush(file_.get()) != 0) return FileError("write", path_, errno);
  if (!IsStandard(file_.get()) && ::fsync(::fileno(file_.get())) != 0) return FileError("sync", path_, errno);
  file_ = nullptr;
  return absl::OkStatus();
}

absl::StatusOr<LineReader> LineReader::Open(const std::string& path, std::size_t max_line_bytes) {
  if (path == kStandard) return LineReader("stdin", FilePtr(stdin), max_line_bytes);
  FilePtr file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return CannotOpen(path, errno);
  return LineReader(path, std::move(file), max_line_bytes);
}

absl::StatusOr<bool> LineReader::Next(std::string& line) {
  line.clear();
  while (true) {
    const std::size_t end = buffer_.find('\n', at_);
    line.append(buffer_, at_, end == std::string::npos ? end : end - at_);
    if (line.size() > max_line_bytes_) {
      return absl::InvalidArgumentError(absl::StrFormat("it is longer than %d bytes", max_line_bytes_));
    }
    if (end != std::string::npos) {
      at_ = end + 1;
      return true;
    }
    EVERFOLD_ASSIGN_OR_RETURN(const bool filled, Fill());
    if (!filled) return !line.empty();
  }
}

// What was in the buffer has been taken. False at the file's end.
absl::StatusOr<bool> LineReader::Fill() {
  buffer_.resize(kReadBytes);
  at_ = 0;
  buffer_.resize(std::fread(buffer_.data(), 1, buffer_.size(), file_.get()));
  if (std::ferror(file_.get()) != 0) return FileError("read", path_, errno);
  return !buffer_.empty();
}

}  // namespace everfold
