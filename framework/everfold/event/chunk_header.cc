#include "everfold/event/chunk_header.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_checksum.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

static_assert(std::endian::native == std::endian::little, "chunks are little endian, and are copied as they stand");
static_assert(header_at::kChecksum + sizeof(std::uint64_t) == kChunkHeaderBytes);

constexpr std::string_view kMagic = "EVCH";

template <class Integer>
Integer Get(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

template <class Integer>
void Put(Integer value, std::size_t at, char* out) {
  std::memcpy(out + at, &value, sizeof(value));
}

template <std::size_t kSize>
bool IsZero(std::string_view bytes, std::size_t at) {
  constexpr char kZeros[kSize] = {};
  return std::memcmp(bytes.data() + at, kZeros, kSize) == 0;
}

absl::Status CheckVersion(std::string_view bytes) {
  if (bytes.size() < kChunkHeaderBytes) {
    return DamagedChunk(absl::StrFormat("%d bytes are less than a header", bytes.size()));
  }
  if (!bytes.starts_with(kMagic)) return DamagedChunk("it does not begin with EVCH");
  const auto version = Get<std::uint16_t>(bytes, header_at::kFormatVersion);
  if (version == kChunkFormatVersion) return absl::OkStatus();
  if (version < kChunkFormatVersion) return DamagedChunk(absl::StrFormat("format version %d was never used", version));
  return Error(absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
               absl::StrFormat("the chunk has format version %d; this program reads versions up to %d", version,
                               kChunkFormatVersion));
}

absl::Status CheckFixedFields(std::string_view bytes) {
  const auto length = Get<std::uint32_t>(bytes, header_at::kLength);
  if (length <= kChunkHeaderBytes || length > kMaxChunkBytes) {
    return DamagedChunk(absl::StrFormat("a length of %d bytes cannot be", length));
  }
  if (!IsZero<4>(bytes, header_at::kReserved)) return DamagedChunk("bytes 20 to 23 are reserved and not zero");
  if (!IsZero<16>(bytes, header_at::kMoreReserved)) return DamagedChunk("bytes 72 to 87 are reserved and not zero");
  if (!IsTime(Get<std::int64_t>(bytes, header_at::kBaseTime))) return DamagedChunk("its base time is no time");
  return absl::OkStatus();
}

absl::Status CheckSequences(const ChunkHeader& header) {
  const std::uint64_t first = header.first_sequence.value();
  const std::uint64_t last = header.last_sequence.value();
  if (first == 0) return DamagedChunk("first sequence 0 cannot be");
  if (last < first || last - first < header.commit_count - 1) {
    return DamagedChunk(
        absl::StrFormat("sequences %d to %d cannot be with %d commits", first, last, header.commit_count));
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const ChunkHeader& header) {
  if (header.partition.value() >= kMaxPartitions) {
    return DamagedChunk(absl::StrFormat("partition %d cannot be", header.partition.value()));
  }
  if (header.chunk_number == 0) return DamagedChunk("chunk number 0 cannot be");
  const std::uint64_t first_offset = header.first_offset.value();
  if (first_offset == 0 || first_offset > UINT64_MAX - header.event_count) {
    return DamagedChunk(absl::StrFormat("first offset %d cannot be with %d events", first_offset, header.event_count));
  }
  if (header.commit_count == 0) return DamagedChunk("it has no commits");
  return CheckSequences(header);
}

}  // namespace

absl::Status DamagedChunk(const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, "damaged chunk: " + what);
}

std::int64_t MicrosOf(absl::Time time) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  EVERFOLD_CHECK(IsTime(micros));
  return micros;
}

void EncodeChunkHeader(const ChunkHeader& header, char* out) {
  std::memset(out, 0, kChunkHeaderBytes);
  std::memcpy(out + header_at::kMagic, kMagic.data(), kMagic.size());
  Put(kChunkFormatVersion, header_at::kFormatVersion, out);
  Put(static_cast<std::uint16_t>(header.partition.value()), header_at::kPartition, out);
  Put(header.commit_count, header_at::kCommitCount, out);
  Put(header.event_count, header_at::kEventCount, out);
  Put(header.writer_epoch, header_at::kWriterEpoch, out);
  Put(header.chunk_number, header_at::kChunkNumber, out);
  Put(header.first_offset.value(), header_at::kFirstOffset, out);
  Put(header.first_sequence.value(), header_at::kFirstSequence, out);
  Put(header.last_sequence.value(), header_at::kLastSequence, out);
  Put(MicrosOf(header.base_time), header_at::kBaseTime, out);
  Put(header.chain.digest, header_at::kChain, out);
}

void SealChunk(std::string& chunk) {
  EVERFOLD_CHECK(chunk.size() > kChunkHeaderBytes && chunk.size() <= kMaxChunkBytes);
  Put(static_cast<std::uint32_t>(chunk.size()), header_at::kLength, chunk.data());
  Put(ChunkChecksum(chunk), header_at::kChecksum, chunk.data());
}

absl::StatusOr<ChunkHeader> DecodeChunkHeader(std::string_view bytes) {
  ChunkHeader header;
  EVERFOLD_RETURN_IF_ERROR(DecodeChunkHeader(bytes, header));
  return header;
}

absl::Status DecodeChunkHeader(std::string_view bytes, ChunkHeader& header) {
  EVERFOLD_RETURN_IF_ERROR(CheckVersion(bytes));
  EVERFOLD_RETURN_IF_ERROR(CheckFixedFields(bytes));
  header.partition = PartitionId(Get<std::uint16_t>(bytes, header_at::kPartition));
  header.writer_epoch = Get<std::uint64_t>(bytes, header_at::kWriterEpoch);
  header.chunk_number = Get<std::uint64_t>(bytes, header_at::kChunkNumber);
  header.first_offset = Offset(Get<std::uint64_t>(bytes, header_at::kFirstOffset));
  header.event_count = Get<std::uint32_t>(bytes, header_at::kEventCount);
  header.commit_count = Get<std::uint32_t>(bytes, header_at::kCommitCount);
  header.first_sequence = Sequence(Get<std::uint64_t>(bytes, header_at::kFirstSequence));
  header.last_sequence = Sequence(Get<std::uint64_t>(bytes, header_at::kLastSequence));
  header.base_time = absl::FromUnixMicros(Get<std::int64_t>(bytes, header_at::kBaseTime));
  header.chain = {Get<Digest>(bytes, header_at::kChain)};
  return CheckNumbers(header);
}

absl::StatusOr<ChunkHeader> CheckChunk(std::string_view bytes) {
  ChunkHeader header;
  EVERFOLD_RETURN_IF_ERROR(CheckChunk(bytes, header));
  return header;
}

absl::Status CheckChunk(std::string_view bytes, ChunkHeader& header) {
  EVERFOLD_RETURN_IF_ERROR(DecodeChunkHeader(bytes, header));
  const auto length = Get<std::uint32_t>(bytes, header_at::kLength);
  if (length != bytes.size()) {
    return DamagedChunk(absl::StrFormat("it has %d bytes, its header says %d", bytes.size(), length));
  }
  if (ChunkChecksum(bytes) != Get<std::uint64_t>(bytes, header_at::kChecksum)) {
    return DamagedChunk("its checksum does not match");
  }
  return absl::OkStatus();
}

}  // namespace everfold
