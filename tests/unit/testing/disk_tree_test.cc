#include "everfold/testing/disk_tree.h"

#include <cerrno>
#include <functional>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

using Names = std::vector<std::string>;

DiskTree::Node NewFile(const std::string& bytes = "") {
  auto file = std::make_shared<DiskNode>();
  file->content.Become(bytes);
  return file;
}

DiskTree::Node NewDirectory() {
  auto directory = std::make_shared<DiskNode>();
  directory->is_directory = true;
  return directory;
}

// All that losses of power were seen to leave of what `make` does to a new tree.
std::set<Names> Remains(const std::function<void(DiskTree&)>& make) {
  SeededRandom random(1);
  std::set<Names> remains;
  for (int i = 0; i < 300; ++i) {
    DiskTree tree;
    make(tree);
    tree.LosePower(random);
    remains.insert(tree.Files());
  }
  return remains;
}

TEST(DiskTree, FindsWhatWasAddedUnderEverySpellingOfItsPath) {
  DiskTree tree;
  ASSERT_EQ(tree.Add("/a", NewDirectory()), 0);
  const DiskTree::Node file = NewFile();
  ASSERT_EQ(tree.Add("/a/f", file), 0);
  for (const char* path : {"/a/f", "a/f", "//a//f", "/a/./f", "/a/../a/f", "/../a/f"}) EXPECT_EQ(tree.Find(path), file);
  EXPECT_EQ(tree.Find("/a/g"), nullptr);
  EXPECT_EQ(tree.Find("/a/f/g"), nullptr);
  EXPECT_TRUE(tree.Find("/")->is_directory);
}

TEST(DiskTree, RefusesWhatPosixRefuses) {
  DiskTree tree;
  ASSERT_EQ(tree.Add("/a", NewDirectory()), 0);
  ASSERT_EQ(tree.Add("/a/f", NewFile()), 0);
  EXPECT_EQ(tree.Add("/a/f", NewFile()), EEXIST);
  EXPECT_EQ(tree.Add("/", NewDirectory()), EEXIST);
  EXPECT_EQ(tree.Add("/b/f", NewFile()), ENOENT);
  EXPECT_EQ(tree.Remove("/a"), ENOTEMPTY);
  EXPECT_EQ(tree.Remove("/b"), ENOENT);
  EXPECT_EQ(tree.Rename("/b", "/c"), ENOENT);
  EXPECT_EQ(tree.Rename("/a/f", "/b/f"), ENOENT);
  EXPECT_EQ(tree.Rename("/a/f", "/a"), EISDIR);
  EXPECT_EQ(tree.Rename("/a", "/a/f/g"), ENOENT);
  EXPECT_EQ(tree.Rename("/a", "/a/b"), EINVAL);
  EXPECT_EQ(tree.Sync("/b"), ENOENT);
  EXPECT_EQ(tree.Sync("/a/f"), ENOTDIR);
}

TEST(DiskTree, OfADirectoryTheLastChangesAreLost) {
  const std::set<Names> remains = Remains([](DiskTree& tree) {
    for (const char* path : {"/1", "/2", "/3"}) tree.Add(path, NewFile());
  });
  EXPECT_THAT(remains, UnorderedElementsAre(Names{}, Names{"/1"}, Names{"/1", "/2"}, Names{"/1", "/2", "/3"}));
}

TEST(DiskTree, OfTwoDirectoriesEitherMayBeAhead) {
  const std::set<Names> remains = Remains([](DiskTree& tree) {
    for (const char* path : {"/a", "/b"}) tree.Add(path, NewDirectory());
    tree.Sync("/");
    tree.Add("/a/1", NewFile());
    tree.Add("/b/2", NewFile());
  });
  EXPECT_THAT(remains, UnorderedElementsAre(Names{}, Names{"/a/1"}, Names{"/b/2"}, Names{"/a/1", "/b/2"}));
}

TEST(DiskTree, WhatWasSyncedSurvives) {
  const std::set<Names> remains = Remains([](DiskTree& tree) {
    tree.Add("/a", NewFile());
    tree.Rename("/a", "/b");
    tree.Add("/c", NewFile());
    tree.Remove("/c");
    tree.Sync("/");
  });
  EXPECT_THAT(remains, ElementsAre(Names{"/b"}));
}

TEST(DiskTree, ARenamingIsDoneWholeOrNotAtAll) {
  SeededRandom random(1);
  std::set<std::string> contents;
  for (int i = 0; i < 100; ++i) {
    DiskTree tree;
    tree.Add("/new", NewFile("new"));
    tree.Add("/old", NewFile("old"));
    tree.SyncAll();
    ASSERT_EQ(tree.Rename("/new", "/old"), 0);
    tree.LosePower(random);
    contents.insert(tree.Find("/old")->content.bytes());
    EXPECT_EQ(tree.Find("/new") == nullptr, tree.Find("/old")->content.bytes() == "new");
  }
  EXPECT_THAT(contents, ElementsAre("new", "old"));
}

TEST(DiskTree, ARenamingBetweenDirectoriesIsInBothOrInNone) {
  const auto move = [](DiskTree& tree) {
    for (const char* path : {"/a", "/b"}) tree.Add(path, NewDirectory());
    tree.Add("/a/f", NewFile());
    tree.SyncAll();
    tree.Add("/b/before", NewFile());
    tree.Rename("/a/f", "/b/f");
    tree.Add("/a/after", NewFile());
  };
  const std::set<Names> remains = Remains(move);
  EXPECT_THAT(remains, UnorderedElementsAre(Names{"/a/f"}, Names{"/a/f", "/b/before"}, Names{"/b/before", "/b/f"},
                                            Names{"/a/after", "/b/before", "/b/f"}));
}

TEST(DiskTree, ASyncedRenamingTakesTheOtherDirectorysEarlierChangesAlong) {
  const std::set<Names> remains = Remains([](DiskTree& tree) {
    for (const char* path : {"/a", "/b"}) tree.Add(path, NewDirectory());
    tree.Add("/a/f", NewFile());
    tree.SyncAll();
    tree.Add("/b/before", NewFile());
    tree.Rename("/a/f", "/b/f");
    tree.Add("/b/after", NewFile());
    tree.Sync("/a");
  });
  EXPECT_THAT(remains, UnorderedElementsAre(Names{"/b/before", "/b/f"}, Names{"/b/after", "/b/before", "/b/f"}));
}

TEST(DiskTree, ARemovedFileMayComeBackWithItsContent) {
  SeededRandom random(1);
  bool came_back = false;
  for (int i = 0; i < 50; ++i) {
    DiskTree tree;
    tree.Add("/f", NewFile("content"));
    tree.SyncAll();
    ASSERT_EQ(tree.Remove("/f"), 0);
    tree.LosePower(random);
    const DiskTree::Node file = tree.Find("/f");
    came_back = came_back || (file != nullptr && file->content.bytes() == "content");
  }
  EXPECT_TRUE(came_back);
}

TEST(DiskTree, ADirectoryWhoseNameIsLostTakesAllThatIsInItAlong) {
  const std::set<Names> remains = Remains([](DiskTree& tree) {
    tree.Add("/a", NewDirectory());
    tree.Add("/a/f", NewFile());
    tree.Sync("/a");
  });
  EXPECT_THAT(remains, UnorderedElementsAre(Names{}, Names{"/a/f"}));
}

}  // namespace
}  // namespace everfold
