#include "everfold/store/verify/index_files.h"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

std::string DatabasePath(const std::string& directory) { return directory + "/db"; }

rocksdb::Status CheckFile(const rocksdb::Options& options, const std::string& path) {
  rocksdb::SstFileReader reader(options);
  const rocksdb::Status opened = reader.Open(path);
  return opened.ok() ? reader.VerifyChecksum() : opened;
}

}  // namespace

absl::StatusOr<bool> HoldsIndex(Files& files, const std::string& directory) {
  if (!files.Exists(DatabasePath(directory))) return false;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(DatabasePath(directory)));
  return !names.empty();
}

absl::StatusOr<std::vector<Finding>> CheckIndexFiles(Files& files, const std::string& directory) {
  std::vector<Finding> findings;
  EVERFOLD_ASSIGN_OR_RETURN(const bool holds_index, HoldsIndex(files, directory));
  if (!holds_index) return findings;
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files.ForRocksDb());
  rocksdb::Options options;
  options.env = env.get();
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(DatabasePath(directory)));
  for (const std::string& name : names) {
    if (!name.ends_with(".sst")) continue;
    const std::string path = DatabasePath(directory) + "/" + name;
    const rocksdb::Status status = CheckFile(options, path);
    if (status.ok()) continue;
    findings.push_back({.partition = {},
                        .chunk_number = 0,
                        .offset = {},
                        .what = absl::StrFormat("%s is damaged: %s", path, status.ToString()),
                        .place = FindingPlace::kIndex});
  }
  return findings;
}

}  // namespace everfold
