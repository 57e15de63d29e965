// The names of a FaultyDisk: directories, and which of their changes a loss of power takes back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/testing/disk_content.h"

namespace everfold {

// A file, which may have several names or none, or a directory.
struct DiskNode {
  bool is_directory = false;
  DiskContent content;
  std::map<std::string, std::shared_ptr<DiskNode>> entries;
};

// As a journaling file system has it: a change is atomic, those of one directory reach the disk in their order, those
// of two directories in any. A sync of a file says nothing of its name.
//
// Paths are separated by "/" and begin at the root, with or without a slash. Results are errnos, 0 where it was done.
// Threading: one thread at a time.
class DiskTree {
 public:
  using Node = std::shared_ptr<DiskNode>;

  DiskTree();

  // Null if there is none.
  Node Find(std::string_view path) const;
  // A new name, of a file that has none or of one that has others.
  int Add(std::string_view path, Node node);
  int Rename(std::string_view from, std::string_view to);
  // A file, or an empty directory.
  int Remove(std::string_view path);
  // Makes the changes of the directory durable, and those of others that they cannot be without.
  int Sync(std::string_view directory);
  void SyncAll() { unsynced_.clear(); }

  // Of every directory the last changes may be taken back, of every file that is left what it says in DiskContent.
  void LosePower(RandomSource& random);

  // Full paths of all files, sorted.
  std::vector<std::string> Files() const;

 private:
  struct Place {
    Node directory;  // null if the path leads nowhere
    std::string name;

    Node node() const;
  };
  // An entry of a directory, and what it was.
  struct Entry {
    Node directory;
    std::string name;
    Node before;
  };
  using Change = std::vector<Entry>;  // of one entry, or of the two of a renaming

  Place Locate(std::string_view path) const;
  void Apply(std::vector<std::pair<Place, Node>> entries);
  static void TakeBack(const Change& change);
  std::vector<bool> DrawLost(RandomSource& random) const;

  Node root_;
  std::vector<Change> unsynced_;  // in the order in which they were made
};

}  // namespace everfold
