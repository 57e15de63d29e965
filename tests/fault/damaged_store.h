// A store that has everything that a store can have on a disk, and what becomes of it when something is damaged.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "everfold/testing/faulty_disk.h"
#include "tests/simulation/store_contents.h"

namespace everfold {

struct IntactStore {
  std::unique_ptr<FaultyDisk> disk;                  // nobody has it open
  std::vector<std::unique_ptr<FaultyDisk>> earlier;  // the same disk before its last appends, the latest first
  std::map<std::string, std::string> kinds;          // by path: "journal file in use"
  StoreNames names;
  StoreContents contents;
};

// REQUIRES: nothing fails.
IntactStore MakeIntactStore(std::uint64_t seed);

// One whose opening after a crash was cut short while it wrote records of the journal to their place again.
IntactStore MakeStoreInRewriting(std::uint64_t seed);

enum class Outcome {
  kRefused,    // the store does not open, and says what is damaged
  kFound,      // it opens, and whoever reads the damaged part is told
  kHarmless,   // it opens, and everything is as it was, also after further appends
  kSilent,     // it opens, and something is missing or different
  kWrongWord,  // it says something else than that something is damaged
};

struct Judgement {
  Outcome outcome;
  std::string words;  // of the refusal; what is wrong
};

// Opens the store on the disk, and compares it with the intact one.
Judgement Judge(const IntactStore& intact, FaultyDisk& disk);

}  // namespace everfold
