#include "everfold/event/chain.h"

#include "everfold/base/digest.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/chunk_reader.h"

namespace everfold {
namespace {

std::string_view View(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

Digest DigestOf(std::string_view bytes) {
  Sha256Hasher hasher;
  hasher.Add(bytes);
  return hasher.Finish();
}

}  // namespace

std::string Chain::ToString() const { return HexEncode(View(digest)); }

Digest LeafOf(std::string_view commit) { return DigestOf(commit); }

Chain NextChain(const Chain& previous, std::string_view header, std::string_view definitions, std::string_view leaves) {
  Sha256Hasher hasher;
  hasher.Add(View(previous.digest));
  // The sealed fields: all up to the chain but the length, which is not the same once a commit is erased.
  hasher.Add(header.substr(0, header_at::kLength));
  hasher.Add(header.substr(header_at::kCommitCount, header_at::kChain - header_at::kCommitCount));
  hasher.Add(View(DigestOf(definitions)));
  hasher.Add(leaves);
  return {hasher.Finish()};
}

absl::StatusOr<Chain> ChainOf(std::string_view chunk, const Chain& previous) {
  EVERFOLD_ASSIGN_OR_RETURN(ChunkReader reader, ChunkReader::Open(chunk));
  std::string leaves;
  while (reader.NextCommit()) leaves.append(View(reader.leaf()));
  EVERFOLD_RETURN_IF_ERROR(reader.status());
  return NextChain(previous, chunk.substr(0, kChunkHeaderBytes), reader.definition_bytes(), leaves);
}

}  // namespace everfold
