#include "everfold/store/stream_expectation.h"

#include "absl/strings/str_cat.h"

namespace everfold {

bool StreamExpectation::Holds(Version actual) const {
  switch (kind_) {
    case Kind::kAny:
      return true;
    case Kind::kNoStream:
      return actual == Version();
    case Kind::kExists:
      return actual > Version();
    case Kind::kExact:
      return actual == version_;
  }
  return false;
}

std::optional<Version> StreamExpectation::version() const {
  if (kind_ != Kind::kNoStream && kind_ != Kind::kExact) return std::nullopt;
  return version_;
}

std::string StreamExpectation::ToString() const {
  switch (kind_) {
    case Kind::kAny:
      return "any version";
    case Kind::kNoStream:
      return "no stream";
    case Kind::kExists:
      return "an existing stream";
    case Kind::kExact:
      return absl::StrCat("version ", version_.value());
  }
  return "";
}

}  // namespace everfold
