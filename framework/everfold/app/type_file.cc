#include "everfold/app/type_file.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::string_view kMagic = "EVTY";
constexpr unsigned char kVersion = 1;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kDigestAt = 8;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kHeaderBytes = kDigestAt + kDigestBytes;

absl::Status Damaged(const std::string& path) {
  return Error(
      absl::StatusCode::kDataLoss, reason::kTypeFileDamaged,
      absl::StrFormat("%s, which describes the types of stored events, is damaged; remove it to begin it anew: "
                      "changes of types since the events were written are then not found",
                      path));
}

// Little endian.
std::uint32_t VersionOf(std::string_view bytes) {
  std::uint32_t version = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    version |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[kVersionAt + i])) << (8 * i);
  }
  return version;
}

}  // namespace

absl::StatusOr<v1::TypeDescriptions> ReadTypeFile(Files& files, const std::string& path) {
  v1::TypeDescriptions types;
  const absl::StatusOr<std::string> file = ReadFile(files, path);
  if (absl::IsNotFound(file.status())) return types;
  if (!file.ok()) return file.status();
  const std::string_view bytes(*file);
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return Damaged(path);
  if (const std::uint32_t version = VersionOf(bytes); version > kVersion) {
    return Error(
        absl::StatusCode::kFailedPrecondition, reason::kFormatUnknown,
        absl::StrFormat("%s has format version %d, this program knows %d; run a newer one", path, version, kVersion));
  }
  const std::string_view content = bytes.substr(kHeaderBytes);
  const bool intact = bytes.substr(kDigestAt, kDigestBytes) == Sha256(content) &&
                      types.ParseFromArray(content.data(), static_cast<int>(content.size()));
  if (!intact) return Damaged(path);
  return types;
}

absl::Status WriteTypeFile(Files& files, const std::string& path, const v1::TypeDescriptions& types) {
  const std::string content = types.SerializeAsString();
  std::string bytes(kMagic);
  bytes += {static_cast<char>(kVersion), 0, 0, 0};
  bytes += Sha256(content);
  bytes += content;
  return ReplaceFile(files, path, bytes);
}

}  // namespace everfold
