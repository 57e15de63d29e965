// SQLite on a FaultyDisk: while this lives, databases that are opened by a path have their files there.
//
//   FaultyDisk disk;
//   disk.MakeDirectory(folder);
//   FaultySqlite sqlite(disk);
//   ... a projection opens its file in that folder, and works ...
//   disk.LosePower(random);
//   ... it is destroyed; disk.Restore(); it is opened again ...
//
// It syncs what SQLite's own file system for Unix syncs: with the first sync of a journal or WAL its directory, too.
// The WAL's index, which processes share, is memory here, and gone with the connection.
#pragma once

#include <memory>

#include "everfold/testing/faulty_disk.h"

namespace everfold {

// What becomes of SQLite's wishes to have files synced; dropped, as by a disk that lies, they show what a test finds.
enum class SqliteSyncs { kDone, kDropped };

// Threading: made and destroyed while no database is open or being opened; one connection to a file at a time, and
// nobody locks it. Lifetime: the disk outlives it. There is one at a time: it is the process's.
class FaultySqlite {
 public:
  explicit FaultySqlite(FaultyDisk& disk, SqliteSyncs syncs = SqliteSyncs::kDone);
  ~FaultySqlite();
  FaultySqlite(const FaultySqlite&) = delete;
  FaultySqlite& operator=(const FaultySqlite&) = delete;

 private:
  struct Vfs;
  const std::unique_ptr<Vfs> vfs_;
};

}  // namespace everfold
