#include "everfold/app/type_copies.h"

#include <set>

#include "everfold/app/type_file.h"
#include "everfold/base/status.h"

namespace everfold {
std::string TypeFilePath(const std::string& data_directory) { return data_directory + "/types"; }

absl::Status CopyTypes(Files& files, const std::string& from, const std::string& to, std::string& left_out) {
  left_out.clear();
  const absl::StatusOr<v1::TypeDescriptions> added = ReadTypeFile(files, from);
  if (absl::IsDataLoss(added.status()) || absl::IsFailedPrecondition(added.status())) {
    left_out = std::string(added.status().message());
    return absl::OkStatus();
  }
  EVERFOLD_RETURN_IF_ERROR(added.status());
  absl::StatusOr<v1::TypeDescriptions> types = ReadTypeFile(files, to);
  if (absl::IsFailedPrecondition(types.status())) {  // a newer program has more to say
    left_out = std::string(types.status().message());
    return absl::OkStatus();
  }
  if (absl::IsDataLoss(types.status())) types = v1::TypeDescriptions();
  EVERFOLD_RETURN_IF_ERROR(types.status());
  std::set<std::string> known;
  for (const v1::TypeDescription& type : types->types()) known.insert(type.fingerprint());
  bool grown = false;
  for (const v1::TypeDescription& type : added->types()) {
    if (!known.insert(type.fingerprint()).second) continue;
    *types->add_types() = type;
    grown = true;
  }
  return grown ? WriteTypeFile(files, to, *types) : absl::OkStatus();
}

}  // namespace everfold
