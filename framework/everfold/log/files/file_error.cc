#include "everfold/log/files/file_error.h"

#include <cerrno>
#include <system_error>

#include "everfold/base/error.h"

namespace everfold {
namespace {

std::string Message(const char* operation, const std::string& path, int error_number) {
  return std::string("cannot ") + operation + " " + path + ": " + std::generic_category().message(error_number);
}

}  // namespace

absl::Status FileError(const char* operation, const std::string& path, int error_number) {
  const std::string message = Message(operation, path, error_number);
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return Error(absl::StatusCode::kResourceExhausted, reason::kDiskFull, message);
  }
  return Error(absl::StatusCode::kInternal, reason::kStorageFailed, message);
}

absl::Status NoSuchFile(const std::string& path) {
  return Error(absl::StatusCode::kNotFound, reason::kStorageFailed, Message("open", path, ENOENT));
}

}  // namespace everfold
