#include "everfold/store/index/name_prefix.h"

#include <rocksdb/slice_transform.h>

#include <cstring>
#include <string>

namespace everfold {
namespace {

class NamePrefixTransform final : public rocksdb::SliceTransform {
 public:
  explicit NamePrefixTransform(int names) : names_(names), id_("everfold.NamePrefix." + std::to_string(names)) {}

  // Kept in the files: a file whose filter was made otherwise is read without it.
  const char* Name() const override { return id_.c_str(); }
  bool InDomain(const rocksdb::Slice& key) const override { return SizeOf(key) > 0; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), SizeOf(key)}; }

 private:
  std::size_t SizeOf(const rocksdb::Slice& key) const { return SizeOfNames(key.ToStringView(), names_); }

  const int names_;
  const std::string id_;
};

}  // namespace

std::size_t SizeOfNames(std::string_view key, int names) {
  std::size_t size = 0;
  for (int found = 0; found < names; ++found) {
    const void* end = std::memchr(key.data() + size, '\0', key.size() - size);
    if (end == nullptr) return 0;
    size = static_cast<std::size_t>(static_cast<const char*>(end) - key.data()) + 1;
  }
  return size;
}

std::shared_ptr<const rocksdb::SliceTransform> NamePrefix(int names) {
  return std::make_shared<NamePrefixTransform>(names);
}

}  // namespace everfold
