#include "everfold/query/list_order.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

constexpr char kOrderBy[] = "order_by";

bool Names(const std::vector<OrderTerm>& terms, std::size_t column) {
  return std::any_of(terms.begin(), terms.end(), [column](const OrderTerm& term) { return term.column == column; });
}

class OrderParser {
 public:
  OrderParser(const ReadModelSchema& schema, std::string_view text) : schema_(schema), text_(text) {}

  absl::StatusOr<std::vector<OrderTerm>> Parse() {
    SkipSpace();
    while (at_ < text_.size() || !terms_.empty()) {
      EVERFOLD_RETURN_IF_ERROR(ParseTerm());
      if (at_ == text_.size()) break;
      if (text_[at_] != ',') return ListError(kOrderBy, at_, "a comma, asc or desc is expected");
      ++at_;
      SkipSpace();
    }
    return std::move(terms_);
  }

 private:
  absl::Status ParseTerm() {
    const std::size_t begin = at_;
    const std::string_view field = Word();
    if (field.empty()) return ListError(kOrderBy, begin, "the name of a field is expected");
    const std::optional<std::size_t> column = FindDeclared(schema_, field);
    if (!column.has_value()) return ListError(kOrderBy, begin, NoSuchField(schema_, field, "order"));
    if (Names(terms_, *column)) {
      return ListError(kOrderBy, begin, absl::StrFormat("%s is named twice", ShownText(field)));
    }
    const std::size_t before_direction = at_;
    const std::string_view direction = Word();
    if (!direction.empty() && direction != "asc" && direction != "desc") {
      return ListError(kOrderBy, before_direction, "a comma, asc or desc is expected");
    }
    terms_.push_back({*column, direction == "desc"});
    return absl::OkStatus();
  }

  // And the space behind it.
  std::string_view Word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && !absl::ascii_isspace(static_cast<unsigned char>(text_[at_])))
      ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    SkipSpace();
    return word;
  }

  void SkipSpace() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  const ReadModelSchema& schema_;
  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<OrderTerm> terms_;
};

}  // namespace

absl::StatusOr<std::vector<OrderTerm>> ParseOrder(const ReadModelSchema& schema, std::string_view text) {
  if (text.size() > kMaxListTextBytes) return ListTextTooLong(kOrderBy, text.size());
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<OrderTerm> terms, OrderParser(schema, text).Parse());
  const bool descending = !terms.empty() && terms.back().descending;
  for (const std::size_t column : schema.key) {
    if (!Names(terms, column)) terms.push_back({column, descending});
  }
  return terms;
}

}  // namespace everfold
