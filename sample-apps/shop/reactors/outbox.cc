#include "reactors/outbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/strings/str_format.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace shop {
namespace {

absl::Status Failed(const char* what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrFormat("cannot %s %s", what, path));
}

absl::Status SyncDirectory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Failed("open", path);
  const absl::Status synced = ::fsync(directory) == 0 ? absl::OkStatus() : Failed("sync", path);
  ::close(directory);
  return synced;
}

// "" for a line that is no message.
std::string IdOf(std::string_view line) {
  google::protobuf::Struct message;
  if (!google::protobuf::util::JsonStringToMessage(std::string(line), &message).ok()) return "";
  const auto id = message.fields().find("id");
  return id == message.fields().end() ? "" : id->second.string_value();
}

}  // namespace

Outbox::~Outbox() { Close(); }

void Outbox::Close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  ids_.clear();
}

absl::Status Outbox::Add(const std::string& id, const std::string& json) {
  if (file_ < 0) {
    if (absl::Status opened = Open(); !opened.ok()) {
      Close();
      return opened;
    }
  }
  if (ids_.contains(id)) return absl::OkStatus();
  if (absl::Status added = Append(json + "\n"); !added.ok()) {
    Close();  // the next one finds out what is there
    return added;
  }
  ids_.insert(id);
  return absl::OkStatus();
}

absl::Status Outbox::Open() {
  const std::string directory = std::filesystem::path(path_).parent_path().string();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return absl::ErrnoToStatus(failed.value(), "cannot make " + directory);
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) return Failed("open", path_);
  // The name of the file, and that of its directory, which may be as new.
  if (absl::Status synced = SyncDirectory(directory); !synced.ok()) return synced;
  const std::string above = std::filesystem::path(directory).parent_path().string();
  if (absl::Status synced = SyncDirectory(above.empty() ? "." : above); !synced.ok()) return synced;
  if (absl::Status read = ReadIds(); !read.ok()) return read;
  // A process that was killed may have written lines, and not synced them: an id counts only once its line is durable.
  return Sync();
}

// A line without an end was not written as a whole when the process was killed: it is cut off.
absl::Status Outbox::ReadIds() {
  constexpr std::size_t kPiece = 1 << 20;
  std::string left;  // of a line
  off_t end = 0;     // of the last whole line
  std::string piece(kPiece, '\0');
  for (off_t at = 0;;) {
    const ssize_t read = ::pread(file_, piece.data(), piece.size(), at);
    if (read < 0) return Failed("read", path_);
    if (read == 0) break;
    at += read;
    left.append(piece, 0, static_cast<std::size_t>(read));
    std::size_t begin = 0;
    for (std::size_t line = left.find('\n'); line != std::string::npos; line = left.find('\n', begin)) {
      ids_.insert(IdOf(std::string_view(left).substr(begin, line - begin)));
      begin = line + 1;
    }
    end += static_cast<off_t>(begin);
    left.erase(0, begin);
  }
  if (left.empty()) return absl::OkStatus();
  return ::ftruncate(file_, end) == 0 ? absl::OkStatus() : Failed("cut", path_);
}

absl::Status Outbox::Append(const std::string& line) {
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t written = ::write(file_, line.data() + done, line.size() - done);
    if (written < 0) return Failed("write", path_);
    done += static_cast<std::size_t>(written);
  }
  return Sync();
}

absl::Status Outbox::Sync() { return ::fdatasync(file_) == 0 ? absl::OkStatus() : Failed("sync", path_); }

}  // namespace shop
