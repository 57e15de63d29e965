#include "everfold/store/export/schema_closure.h"

#include <set>

#include "google/protobuf/descriptor.h"

namespace everfold {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;

void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& added, FileDescriptorSet& set) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, set);
  file.CopyTo(set.add_file());
}

}  // namespace

FileDescriptorSet SchemaClosureOf(absl::Span<const std::string> types) {
  FileDescriptorSet set;
  std::set<const FileDescriptor*> added;
  for (const std::string& type : types) {
    const auto* const descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    if (descriptor != nullptr) AddFile(*descriptor->file(), added, set);
  }
  return set;
}

std::vector<std::string> TypeNamesOf(const TypeDictionary& types, std::uint32_t partitions) {
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < partitions; ++i) {
    const TypeId last = types.LastId(PartitionId(i));
    for (TypeId id = 1; id <= last; ++id) names.insert(types.Find(PartitionId(i), id)->name);
  }
  return {names.begin(), names.end()};
}

}  // namespace everfold
