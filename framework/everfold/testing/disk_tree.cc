#include "everfold/testing/disk_tree.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace everfold {
namespace {

std::vector<std::string> Names(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.emplace_back(name);
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  return names;
}

bool Inside(std::string_view path, std::string_view directory) {
  const std::vector<std::string> names = Names(path);
  const std::vector<std::string> above = Names(directory);
  return names.size() > above.size() && std::equal(above.begin(), above.end(), names.begin());
}

using Visit = std::function<void(const std::string& path, DiskNode& file)>;

void ForEachFile(const std::string& path, DiskNode& node, const Visit& visit) {
  if (!node.is_directory) return visit(path, node);
  for (const auto& [name, entry] : node.entries) ForEachFile(path + "/" + name, *entry, visit);
}

void Set(DiskNode& directory, const std::string& name, DiskTree::Node node) {
  if (node == nullptr) {
    directory.entries.erase(name);
  } else {
    directory.entries[name] = std::move(node);
  }
}

}  // namespace

DiskTree::DiskTree() : root_(std::make_shared<DiskNode>()) { root_->is_directory = true; }

DiskTree::Node DiskTree::Place::node() const {
  const auto entry = directory->entries.find(name);
  return entry == directory->entries.end() ? nullptr : entry->second;
}

DiskTree::Place DiskTree::Locate(std::string_view path) const {
  std::vector<std::string> names = Names(path);
  if (names.empty()) return {};
  Place place{root_, std::move(names[0])};
  for (std::size_t i = 1; i < names.size(); ++i) {
    Node next = place.node();
    if (next == nullptr || !next->is_directory) return {};
    place = {std::move(next), std::move(names[i])};
  }
  return place;
}

DiskTree::Node DiskTree::Find(std::string_view path) const {
  const Place place = Locate(path);
  if (place.directory != nullptr) return place.node();
  return Names(path).empty() ? root_ : nullptr;
}

int DiskTree::Add(std::string_view path, Node node) {
  Place place = Locate(path);
  if (place.directory == nullptr) return Names(path).empty() ? EEXIST : ENOENT;
  if (place.node() != nullptr) return EEXIST;
  Apply({{std::move(place), std::move(node)}});
  return 0;
}

int DiskTree::Rename(std::string_view from, std::string_view to) {
  Place source = Locate(from);
  Place target = Locate(to);
  if (source.directory == nullptr || target.directory == nullptr) return ENOENT;
  Node node = source.node();
  const Node replaced = target.node();
  if (node == nullptr) return ENOENT;
  if (Inside(to, from)) return EINVAL;
  if (replaced == node) return 0;
  if (replaced != nullptr && replaced->is_directory != node->is_directory) return node->is_directory ? ENOTDIR : EISDIR;
  if (replaced != nullptr && !replaced->entries.empty()) return ENOTEMPTY;
  Apply({{std::move(source), nullptr}, {std::move(target), std::move(node)}});
  return 0;
}

int DiskTree::Remove(std::string_view path) {
  Place place = Locate(path);
  const Node node = place.directory == nullptr ? nullptr : place.node();
  if (node == nullptr) return ENOENT;
  if (!node->entries.empty()) return ENOTEMPTY;
  Apply({{std::move(place), nullptr}});
  return 0;
}

void DiskTree::Apply(std::vector<std::pair<Place, Node>> entries) {
  Change change;
  for (auto& [place, node] : entries) {
    change.push_back({place.directory, place.name, place.node()});
    Set(*place.directory, place.name, std::move(node));
  }
  unsynced_.push_back(std::move(change));
}

// Backwards: a change that must be durable makes the earlier ones of its directories durable as well.
int DiskTree::Sync(std::string_view path) {
  const Node directory = Find(path);
  if (directory == nullptr) return ENOENT;
  if (!directory->is_directory) return ENOTDIR;
  std::unordered_set<const DiskNode*> synced = {directory.get()};
  std::vector<Change> left;
  for (auto change = unsynced_.rbegin(); change != unsynced_.rend(); ++change) {
    const bool durable = std::any_of(change->begin(), change->end(),
                                     [&](const Entry& entry) { return synced.contains(entry.directory.get()); });
    if (!durable) {
      left.push_back(std::move(*change));
      continue;
    }
    for (const Entry& entry : *change) synced.insert(entry.directory.get());
  }
  std::reverse(left.begin(), left.end());
  unsynced_ = std::move(left);
  return 0;
}

void DiskTree::TakeBack(const Change& change) {
  for (auto entry = change.rbegin(); entry != change.rend(); ++entry) {
    Set(*entry->directory, entry->name, entry->before);
  }
}

// How many changes of a directory are kept is drawn when the first of them is met. A change that is lost for one of its
// directories ends what is kept of the other.
std::vector<bool> DiskTree::DrawLost(RandomSource& random) const {
  std::unordered_map<const DiskNode*, std::uint64_t> changes;
  for (const Change& change : unsynced_) {
    for (const Entry& entry : change) ++changes[entry.directory.get()];
  }
  std::unordered_map<const DiskNode*, std::uint64_t> kept;
  std::vector<bool> lost;
  for (const Change& change : unsynced_) {
    bool ends = false;
    for (const Entry& entry : change) {
      const DiskNode* directory = entry.directory.get();
      if (!kept.contains(directory)) kept[directory] = random.Below(changes[directory] + 1);
      ends = ends || kept[directory] == 0;
    }
    for (const Entry& entry : change) {
      std::uint64_t& left = kept[entry.directory.get()];
      left = ends ? 0 : left - std::min<std::uint64_t>(left, 1);
    }
    lost.push_back(ends);
  }
  return lost;
}

void DiskTree::LosePower(RandomSource& random) {
  const std::vector<bool> lost = DrawLost(random);
  for (std::size_t i = unsynced_.size(); i > 0; --i) {
    if (lost[i - 1]) TakeBack(unsynced_[i - 1]);
  }
  unsynced_.clear();
  ForEachFile("", *root_, [&random](const std::string&, DiskNode& file) { file.content.LosePower(random); });
}

std::vector<std::string> DiskTree::Files() const {
  std::vector<std::string> paths;
  ForEachFile("", *root_, [&paths](const std::string& path, DiskNode&) { paths.push_back(path); });
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace everfold
