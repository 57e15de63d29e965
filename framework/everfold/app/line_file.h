// Files of lines, as `export` writes and `import` reads them; "-" is stdout, and stdin.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace everfold {

struct CloseFile {
  void operator()(std::FILE* file) const;
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

// Threading: one thread. Errors: INTERNAL (STORAGE_FAILED), RESOURCE_EXHAUSTED (DISK_FULL) where there is no room.
class LineWriter {
 public:
  // A new file, for its owner alone. INVALID_ARGUMENT if it is there already, or cannot be made.
  static absl::StatusOr<LineWriter> Create(const std::string& path);
  LineWriter(LineWriter&&) = default;
  // Removes a file that was not finished.
  ~LineWriter();

  absl::Status Write(std::string_view bytes);
  // Makes all of it durable, where it is a file.
  absl::Status Finish();

 private:
  LineWriter(std::string path, FilePtr file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  FilePtr file_;  // nullptr once it is finished
};

// Threading: one thread.
class LineReader {
 public:
  // INVALID_ARGUMENT if the file cannot be opened.
  static absl::StatusOr<LineReader> Open(const std::string& path, std::size_t max_line_bytes);

  // Replaces `line` by the next line, without its line break, which the last one need not have; false at the end.
  // INVALID_ARGUMENT for a line that is too long; INTERNAL (STORAGE_FAILED) if the file cannot be read.
  absl::StatusOr<bool> Next(std::string& line);

 private:
  LineReader(std::string path, FilePtr file, std::size_t max_line_bytes)
      : path_(std::move(path)), file_(std::move(file)), max_line_bytes_(max_line_bytes) {}
  absl::StatusOr<bool> Fill();

  std::string path_;
  FilePtr file_;
  std::size_t max_line_bytes_;
  std::string buffer_;
  std::size_t at_ = 0;  // in the buffer
};

}  // namespace everfold
