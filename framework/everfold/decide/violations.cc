#include "everfold/decide/violations.h"

#include <re2/re2.h>

#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

// "int64.gt" is INT64_GT in google.rpc.BadRequest, whose reasons are UPPER_SNAKE_CASE.
std::string ReasonOfRule(const std::string& rule) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(rule, {{".", "_"}}));
}

}  // namespace

void Violations::Add(std::string_view field, std::string_view rule, std::string description) {
  ++count_;
  if (kept_.size() == kMaxKept) return;
  kept_.push_back({prefix_ + std::string(field), std::string(rule), std::move(description)});
}

Violations::Scope::Scope(Violations& violations, std::string_view field)
    : violations_(violations), prefix_size_(violations.prefix_.size()) {
  violations_.prefix_.append(field).append(".");
}

Violations::Scope::Scope(Violations& violations, std::string_view field, std::size_t index)
    : violations_(violations), prefix_size_(violations.prefix_.size()) {
  violations_.prefix_.append(absl::StrFormat("%s[%d].", field, index));
}

Violations::Scope::~Scope() { violations_.prefix_.resize(prefix_size_); }

absl::Status Violations::ToStatus(std::string_view command, std::string_view path) const {
  if (empty()) return absl::OkStatus();
  google::rpc::BadRequest bad_request;
  for (const Violation& violation : kept_) {
    auto& added = *bad_request.add_field_violations();
    added.set_field(std::string(path) + violation.field);
    added.set_description(absl::StrFormat("%s (%s)", violation.description, violation.rule));
    added.set_reason(ReasonOfRule(violation.rule));
  }
  const Violation& first = kept_.front();
  std::string message = absl::StrFormat("%s: %s %s", command, first.field, first.description);
  if (count_ > 1) message += absl::StrFormat(", and %d more", count_ - 1);
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, message,
                              {{"command", std::string(command)}, {"violations", std::to_string(count_)}});
  AddDetail(status, bad_request);
  return status;
}

std::uint64_t CountCodePoints(std::string_view text) {
  std::uint64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

struct Pattern::Compiled {
  RE2 expression;
};

Pattern::Pattern(const char* expression) : compiled_(new Compiled{RE2(expression, RE2::Quiet)}) {
  EVERFOLD_CHECK(compiled_->expression.ok());
}

Pattern::~Pattern() = default;

bool Pattern::Matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

}  // namespace everfold
