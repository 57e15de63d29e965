// Chunks for tests of the format.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_writer.h"

namespace everfold {

// Writes the chunks of a partition one after the other, as a committer does: a type gets the next id, and is defined by
// the chunk that uses it first.
class ChunkMaker {
 public:
  // The first chunk has the number, offset, partition and epoch of `first`.
  explicit ChunkMaker(const ChunkHeader& first);

  std::string Make(const std::vector<Commit>& commits);
  const Chain& chain() const { return chain_; }

 private:
  TypeId IdOf(const EventType& type);
  void Add(const Commit& commit);

  ChunkHeader next_;
  Chain chain_;
  ChunkWriter writer_;
  std::map<std::pair<std::string, std::string>, TypeId> ids_;
};

std::string EncodeBody(const Commit& commit);

// Chunk 12 of partition 3, from offset 1000.
ChunkHeader SampleHeader();
// The sample's header with counts, sequences and base time of the commits.
ChunkHeader HeaderOf(const std::vector<Commit>& commits);

// Two commits that use every field, the second one without events: sequences 300 and 302.
std::vector<Commit> SampleCommits();
std::string SampleChunk();
// What a reader finds where the commit was erased.
Commit ErasedCommit(const Commit& commit);
// The commits in the first chunk that a partition of SampleHeader gets.
std::string ChunkOf(const std::vector<Commit>& commits);

// Commits as a writer may make them, of any shape and with any bytes.
std::vector<Commit> RandomCommits(RandomSource& random);

// A dictionary that knows nothing, of as many partitions as there can be.
const TypeDictionary& NoTypes();

// Makes length and checksum right again after a change.
void Reseal(std::string& chunk);

}  // namespace everfold
