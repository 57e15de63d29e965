#include "codegen/problems.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace everfold::codegen {

void Problems::Add(const std::string& file, int line, const std::string& text) { found_.push_back({file, line, text}); }

std::string Problems::ToString() const {
  std::vector<Problem> sorted = found_;
  std::sort(sorted.begin(), sorted.end());
  return absl::StrJoin(sorted, "\n", [](std::string* out, const Problem& problem) {
    const std::string line = problem.line > 0 ? absl::StrFormat(":%d", problem.line) : "";
    absl::StrAppendFormat(out, "%s%s: %s", problem.file, line, problem.text);
  });
}

}  // namespace everfold::codegen
