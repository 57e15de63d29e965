#include "everfold/log/embedded/journal_rewrite.h"

#include <xxhash.h>

#include <cstring>
#include <optional>

#include "everfold/base/status.h"
#include "everfold/log/embedded/storage_error.h"
#include "everfold/log/embedded/store_parts.h"

namespace everfold {
namespace {

constexpr std::string_view kMagic = "EVRW";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kHeaderBytes = 4 + 4 + kEpochBytes;
constexpr std::size_t kChecksumBytes = 8;

struct Rewrite {
  std::string name;  // of the file, in the journal's directory
  std::uint64_t position = 0;
  std::string_view record;
};

template <class Integer>
void Put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void PutBytes(std::string& out, std::string_view bytes) {
  Put(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

// Takes what Put and PutBytes have put from the front of the bytes.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  Integer Take() {
    Integer value{};
    valid_ = valid_ && rest_.size() >= sizeof(value);
    if (!valid_) return value;
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_.remove_prefix(sizeof(value));
    return value;
  }
  std::string_view TakeBytes() {
    const auto size = Take<std::uint32_t>();
    valid_ = valid_ && rest_.size() >= size;
    if (!valid_) return {};
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  bool valid() const { return valid_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool valid_ = true;
};

std::string HeaderOf(const Epoch& epoch) {
  std::string bytes(kMagic);
  Put(bytes, kFormatVersion);
  return bytes + epoch.bytes;
}

// nullopt unless it is whole.
std::optional<std::vector<Rewrite>> Decode(std::string_view bytes, const Epoch& epoch) {
  if (bytes.size() < kHeaderBytes + kChecksumBytes || !bytes.starts_with(HeaderOf(epoch))) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (Input(bytes.substr(content.size())).Take<std::uint64_t>() != XXH3_64bits(content.data(), content.size())) {
    return std::nullopt;
  }
  std::vector<Rewrite> rewrites;
  Input input(content.substr(kHeaderBytes));
  while (input.valid() && !input.empty()) {
    Rewrite& rewrite = rewrites.emplace_back();
    rewrite.name = input.TakeBytes();
    rewrite.position = input.Take<std::uint64_t>();
    rewrite.record = input.TakeBytes();
  }
  if (!input.valid()) return std::nullopt;
  return rewrites;
}

absl::Status Apply(Files& files, const std::string& store, const std::vector<Rewrite>& rewrites) {
  for (const Rewrite& rewrite : rewrites) {
    const std::string path = JournalDirectory(store) + "/" + rewrite.name;
    const absl::StatusOr<std::unique_ptr<File>> file = files.Open(path);
    if (absl::IsNotFound(file.status())) return DataLoss("the file " + path + " of the journal is missing");
    EVERFOLD_RETURN_IF_ERROR(file.status());
    EVERFOLD_RETURN_IF_ERROR((*file)->WriteAt(rewrite.position, rewrite.record));
    EVERFOLD_RETURN_IF_ERROR((*file)->Sync());
  }
  // Durably: once the records' place is used again, they must not come back.
  EVERFOLD_RETURN_IF_ERROR(files.Remove(RewritePath(store)));
  return files.SyncDirectory(store);
}

}  // namespace

std::string RewritePath(const std::string& store) { return store + "/rewrite"; }

absl::Status RewriteRecords(Files& files, const std::string& store, const Epoch& epoch,
                            const std::vector<RecoveredGroup>& groups, GroupNumber marked) {
  std::string bytes = HeaderOf(epoch);
  for (const RecoveredGroup& group : groups) {
    if (group.link.group <= marked) continue;
    EVERFOLD_ASSIGN_OR_RETURN(const std::string record, group.file.file->ReadAt(group.position, group.bytes));
    PutBytes(bytes, std::string_view(group.file.path).substr(group.file.path.rfind('/') + 1));
    Put(bytes, group.position);
    PutBytes(bytes, record);
  }
  if (bytes.size() == kHeaderBytes) return absl::OkStatus();
  Put(bytes, XXH3_64bits(bytes.data(), bytes.size()));
  EVERFOLD_RETURN_IF_ERROR(ReplaceFile(files, RewritePath(store), bytes));
  return FinishRewriting(files, store, epoch);
}

absl::Status FinishRewriting(Files& files, const std::string& store, const Epoch& epoch) {
  const absl::StatusOr<std::string> bytes = ReadFile(files, RewritePath(store));
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(bytes.status());
  const std::optional<std::vector<Rewrite>> rewrites = Decode(*bytes, epoch);
  if (!rewrites.has_value()) return DataLoss("the records of the journal in " + RewritePath(store) + " are damaged");
  return Apply(files, store, *rewrites);
}

}  // namespace everfold
