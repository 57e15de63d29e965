#include "everfold/testing/disk_session.h"

#include <cerrno>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {

int ErrnoOf(DiskFault fault) { return fault == DiskFault::kNoSpace ? ENOSPC : EIO; }

}  // namespace

int DiskSession::Meet(DiskOperation operation) const {
  if (lost_power_) return EIO;
  const std::optional<DiskFault> fault = faults_->Meet(operation);
  return fault.has_value() ? ErrnoOf(*fault) : 0;
}

DiskResult<DiskSession::Node> DiskSession::Find(const std::string& path) const {
  MutexLock lock(&mutex_);
  if (lost_power_) return {nullptr, EIO};
  Node node = tree_.Find(path);
  const int error = node == nullptr ? ENOENT : 0;
  return {std::move(node), error};
}

DiskResult<DiskSession::Node> DiskSession::Create(const std::string& path) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kCreate)) return {nullptr, error};
  Node node = std::make_shared<DiskNode>();
  const int error = tree_.Add(path, node);
  return {std::move(node), error};
}

int DiskSession::Link(const std::string& from, const std::string& to) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kCreate)) return error;
  Node node = tree_.Find(from);
  if (node == nullptr) return ENOENT;
  return node->is_directory ? EPERM : tree_.Add(to, std::move(node));
}

int DiskSession::MakeDirectory(const std::string& path) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kCreate)) return error;
  Node node = std::make_shared<DiskNode>();
  node->is_directory = true;
  return tree_.Add(path, std::move(node));
}

int DiskSession::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kRename)) return error;
  return tree_.Rename(from, to);
}

int DiskSession::Remove(const std::string& path) { return RemoveNode(path, false); }

int DiskSession::RemoveDirectory(const std::string& path) { return RemoveNode(path, true); }

int DiskSession::RemoveNode(const std::string& path, bool is_directory) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kRemove)) return error;
  const Node node = tree_.Find(path);
  if (node != nullptr && node->is_directory != is_directory) return is_directory ? ENOTDIR : EISDIR;
  return tree_.Remove(path);
}

int DiskSession::SyncDirectory(const std::string& path) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kSync)) return error;
  return tree_.Sync(path);
}

DiskResult<std::vector<std::string>> DiskSession::List(const std::string& directory) const {
  MutexLock lock(&mutex_);
  if (lost_power_) return {{}, EIO};
  const Node node = tree_.Find(directory);
  if (node == nullptr) return {{}, ENOENT};
  if (!node->is_directory) return {{}, ENOTDIR};
  DiskResult<std::vector<std::string>> names;
  for (const auto& [name, entry] : node->entries) names.value.push_back(name);
  return names;
}

DiskResult<std::string> DiskSession::Read(const DiskNode& file, std::uint64_t offset, std::uint64_t size) const {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kRead)) return {{}, error};
  const std::string& bytes = file.content.bytes();
  return {offset < bytes.size() ? bytes.substr(offset, size) : std::string()};
}

DiskResult<std::uint64_t> DiskSession::Size(const DiskNode& file) const {
  MutexLock lock(&mutex_);
  if (lost_power_) return {0, EIO};
  return {file.content.bytes().size()};
}

int DiskSession::Write(DiskNode& file, std::uint64_t offset, std::string_view bytes) {
  MutexLock lock(&mutex_);
  if (lost_power_) return EIO;
  const std::optional<DiskFault> fault = faults_->Meet(DiskOperation::kWrite);
  if (fault == DiskFault::kShortWrite) bytes = bytes.substr(0, bytes.size() / 2);
  if (!fault.has_value() || fault == DiskFault::kShortWrite) file.content.Write(offset, bytes);
  return fault.has_value() ? ErrnoOf(*fault) : 0;
}

int DiskSession::Resize(DiskNode& file, std::uint64_t size) {
  MutexLock lock(&mutex_);
  if (const int error = Meet(DiskOperation::kWrite)) return error;
  file.content.Resize(size);
  return 0;
}

int DiskSession::Sync(DiskNode& file) {
  MutexLock lock(&mutex_);
  if (lost_power_) return EIO;
  if (const int error = Meet(DiskOperation::kSync)) {
    file.content.FailSync();
    return error;
  }
  file.content.Sync();
  return 0;
}

void DiskSession::KeepAppendsInOrder(DiskNode& file) {
  MutexLock lock(&mutex_);
  if (!lost_power_) file.content.KeepAppendsInOrder();
}

int DiskSession::Lock(const std::string& path) {
  MutexLock lock(&mutex_);
  if (lost_power_) return EIO;
  return locked_.insert(path).second ? 0 : EAGAIN;
}

void DiskSession::Unlock(const std::string& path) {
  MutexLock lock(&mutex_);
  locked_.erase(path);
}

void DiskSession::Examine(const std::function<void(DiskTree&)>& look) {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(!lost_power_);
  look(tree_);
}

void DiskSession::LosePower(RandomSource& random) {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(!lost_power_);
  lost_power_ = true;
  tree_.LosePower(random);
}

bool DiskSession::lost_power() const {
  MutexLock lock(&mutex_);
  return lost_power_;
}

DiskTree DiskSession::TakeRemains() {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(lost_power_);
  return std::move(tree_);
}

}  // namespace everfold
