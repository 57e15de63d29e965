#include "everfold/store/index/head_reader.h"

#include <rocksdb/db.h>

#include <memory>
#include <string_view>

#include "everfold/base/status.h"
#include "everfold/log/files/rocks_iterator.h"
#include "everfold/store/index/entry_bytes.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/index/name_prefix.h"

namespace everfold {
namespace {

// Behind every key that begins with the name.
std::string BehindName(std::string_view name) {
  std::string key(name);
  key.back() = 1;
  return key;
}

bool IsOfName(const rocksdb::Iterator& at, std::string_view name) { return at.Valid() && at.key().starts_with(name); }

// Goes over entries name by name.
class HeadReader {
 public:
  HeadReader(const IndexDatabase& database, EntryKind kind, rocksdb::Iterator& entries)
      : database_(database), is_stream_(kind == EntryKind::kStreams), entries_(entries) {}

  // REQUIRES, here and below: it stands on an entry. Of this one; empty if it does not decode.
  std::string_view Name() const {
    const std::string_view key = entries_.key().ToStringView();
    return key.substr(0, SizeOfNames(key, is_stream_ ? kNamesOfStream : kNamesOfTag));
  }
  // Moves behind the entries of the name on whose first one it stands.
  absl::Status Take(NameHead& head) { return is_stream_ ? TakeVersion(head) : TakeLastSequence(head); }
  // In steps from entry to entry.
  std::size_t work() const { return work_; }

 private:
  // The next name is looked for by so many steps before it is sought, which costs as much.
  static constexpr std::size_t kStepsOfName = 100;

  // The newest entry stands first.
  absl::Status TakeVersion(NameHead& head) {
    const std::string_view name = head.name.bytes();
    StreamEntry newest;
    if (!DecodeStream(entries_.key().ToStringView().substr(name.size()), entries_.value().ToStringView(), newest)) {
      return database_.Damaged("an entry of a stream does not decode");
    }
    head.head = newest.last_version().value();
    for (std::size_t i = 0; i < kStepsOfName && IsOfName(entries_, name); ++i) Next();
    if (!IsOfName(entries_, name)) return absl::OkStatus();
    entries_.Seek(BehindName(name));
    work_ += kStepsOfName;
    return absl::OkStatus();
  }

  // The newest entry stands last.
  absl::Status TakeLastSequence(NameHead& head) {
    const std::string_view name = head.name.bytes();
    for (std::size_t i = 0; i < kStepsOfName && IsOfName(entries_, name); ++i) {
      EVERFOLD_RETURN_IF_ERROR(ReadSequence(head));
      Next();
    }
    if (!IsOfName(entries_, name)) return absl::OkStatus();
    entries_.SeekForPrev(BehindName(name));
    work_ += kStepsOfName;
    EVERFOLD_RETURN_IF_ERROR(database_.StatusOf(entries_.status(), "read"));
    if (!IsOfName(entries_, name)) return database_.Damaged("the last entry of a tag is not where it was");
    EVERFOLD_RETURN_IF_ERROR(ReadSequence(head));
    Next();
    return absl::OkStatus();
  }

  absl::Status ReadSequence(NameHead& head) const {
    TaggedEvent event;
    const std::string_view key = entries_.key().ToStringView().substr(head.name.bytes().size());
    if (!DecodeTag(key, entries_.value().ToStringView(), event)) {
      return database_.Damaged("an entry of a tag does not decode");
    }
    head.head = event.sequence.value();
    return absl::OkStatus();
  }

  void Next() {
    entries_.Next();
    ++work_;
  }

  const IndexDatabase& database_;
  const bool is_stream_;
  rocksdb::Iterator& entries_;
  std::size_t work_ = 0;
};

}  // namespace

absl::StatusOr<std::string> ReadHeads(const IndexDatabase& database, EntryKind kind, const std::string& from,
                                      std::vector<NameHead>& heads) {
  constexpr std::size_t kNames = 512;
  constexpr std::size_t kWork = 10'000;
  rocksdb::ReadOptions options = IteratorOptions();
  options.total_order_seek = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entries = database.NewIterator(kind, options);
  HeadReader reader(database, kind, *entries);
  entries->Seek(from);
  while (entries->Valid()) {
    const std::string_view name = reader.Name();
    if (name.empty()) return database.Damaged("the key of a name does not decode");
    if (heads.size() == kNames || reader.work() >= kWork) return std::string(name);
    heads.push_back({EntryName::OfBytes(name), 0});
    EVERFOLD_RETURN_IF_ERROR(reader.Take(heads.back()));
  }
  EVERFOLD_RETURN_IF_ERROR(database.StatusOf(entries->status(), "read"));
  return std::string();
}

}  // namespace everfold
