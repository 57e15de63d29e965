#include "everfold/log/files/files.h"

#include <filesystem>

#include "everfold/base/status.h"

namespace everfold {
namespace {

// The new file may be left behind by a crash or an error; the next replacement begins it anew.
absl::Status WriteNew(Files& files, const std::string& path, std::string_view bytes) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.Create(path));
  EVERFOLD_RETURN_IF_ERROR(file->WriteAt(0, bytes));
  return file->Sync();
}

}  // namespace

absl::Status ReplaceFile(Files& files, const std::string& path, std::string_view bytes) {
  const std::string written = path + ".new";
  EVERFOLD_RETURN_IF_ERROR(WriteNew(files, written, bytes));
  EVERFOLD_RETURN_IF_ERROR(files.Rename(written, path));
  const std::string directory = std::filesystem::path(path).parent_path();
  return files.SyncDirectory(directory.empty() ? "." : directory);
}

absl::StatusOr<std::string> ReadFile(Files& files, const std::string& path) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.Open(path));
  EVERFOLD_ASSIGN_OR_RETURN(const std::uint64_t size, file->Size());
  return file->ReadAt(0, size);
}

}  // namespace everfold
