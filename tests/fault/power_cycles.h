// One store over many losses of power, with one ledger, which is checked whole after each of them.
#pragma once

#include <string>
#include <vector>

#include "everfold/testing/faulty_disk.h"
#include "tests/simulation/store_on_disk.h"

namespace everfold {

class PowerCycles {
 public:
  // `files`: the disk as the store sees it; the disk itself, or something that lies about it.
  PowerCycles(std::uint64_t seed, FaultyDisk& disk, Files& files, bool paranoid);

  // Work, until the power is lost at a random operation; then the store must open, and hold what it had acknowledged.
  // Violations are in the ledger, and end it.
  void Cycle();

  StoreLedger& ledger() { return store_.ledger(); }
  StoreOnDisk& store() { return store_; }

 private:
  void Work();
  void Act();
  void Reopen();

  FaultyDisk& disk_;
  StoreOnDisk store_;
  RandomSource& random_;
};

// A copy of the disk, on which a bit of the record of the journal's last group is flipped. That group was acknowledged,
// nothing was written after it, and the process ended without closing the store. Null if the journal holds no group.
std::unique_ptr<FaultyDisk> DamageLastGroup(const FaultyDisk& disk, RandomSource& random);

}  // namespace everfold
