// Chunks for tests of the codec.
#pragma once

#include <string>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/event/chunk.h"

namespace everfold {

// A header for the commits, with what EncodeChunk fills in filled in.
ChunkHeader HeaderOf(const std::vector<Commit>& commits);

// Two commits that use every field, the second one without events.
std::vector<Commit> SampleCommits();
std::string SampleChunk();

// Commits as a writer may make them, of any shape and with any bytes.
std::vector<Commit> RandomCommits(RandomSource& random);

// Makes the checksum right again after a change.
void Reseal(std::string& chunk);

}  // namespace everfold
