#include "everfold/query/list_filter.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/query/filter_value.h"

namespace everfold {
namespace {

constexpr char kFilter[] = "filter";

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }
bool IsNameChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }
bool IsWordChar(char c) { return IsNameChar(c) || c == '-' || c == '+' || c == ':'; }

absl::Status TooManyConditions() {
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("filter has more than %d conditions", kMaxConditions),
               {{"limit", std::to_string(kMaxConditions)}});
}

class FilterParser {
 public:
  FilterParser(const ReadModelSchema& schema, std::string_view text) : schema_(schema), text_(text) {}

  absl::StatusOr<std::vector<Condition>> Parse() {
    SkipSpace();
    while (at_ < text_.size()) {
      EVERFOLD_RETURN_IF_ERROR(ParseCondition());
      if (conditions_.size() > kMaxConditions) return TooManyConditions();
      if (at_ < text_.size()) EVERFOLD_RETURN_IF_ERROR(ParseAnd());
    }
    return std::move(conditions_);
  }

 private:
  absl::Status ParseAnd() {
    const std::size_t begin = at_;
    if (Take(IsNameChar) != "AND") return ListError(kFilter, begin, "AND, or the end, is expected");
    SkipSpace();
    if (at_ == text_.size()) return ListError(kFilter, at_, "a condition is expected behind AND");
    return absl::OkStatus();
  }

  absl::Status ParseCondition() {
    Condition condition;
    EVERFOLD_ASSIGN_OR_RETURN(condition.column, ParseField());
    const std::size_t at_operator = at_;
    EVERFOLD_ASSIGN_OR_RETURN(condition.comparison, ParseComparison());
    const Column& column = schema_.columns[condition.column];
    if (!Compares(column, condition.comparison)) {
      return ListError(kFilter, at_operator, absl::StrFormat("%s compares by = and != only", column.field_path()));
    }
    const std::size_t at_value = at_;
    EVERFOLD_ASSIGN_OR_RETURN(const FilterLiteral literal, ParseLiteral());
    absl::StatusOr<ColumnValue> value = ValueOf(column, literal);
    if (!value.ok()) return ListError(kFilter, at_value, std::string(value.status().message()));
    condition.value = *std::move(value);
    conditions_.push_back(std::move(condition));
    return absl::OkStatus();
  }

  absl::StatusOr<std::size_t> ParseField() {
    const std::size_t begin = at_;
    const std::string_view field = Take(IsNameChar);
    if (field.empty()) return ListError(kFilter, begin, "the name of a field is expected");
    const std::optional<std::size_t> column = FindDeclared(schema_, field);
    if (!column.has_value()) return ListError(kFilter, begin, NoSuchField(schema_, field, "filter"));
    SkipSpace();
    return *column;
  }

  absl::StatusOr<Comparison> ParseComparison() {
    static constexpr std::pair<std::string_view, Comparison> kOperators[] = {
        {"!=", Comparison::kNotEqual}, {"<=", Comparison::kAtMost}, {">=", Comparison::kAtLeast},
        {"=", Comparison::kEqual},     {"<", Comparison::kLess},    {">", Comparison::kGreater}};
    for (const auto& [sign, comparison] : kOperators) {
      if (text_.substr(at_, sign.size()) != sign) continue;
      at_ += sign.size();
      SkipSpace();
      return comparison;
    }
    return ListError(kFilter, at_, "one of = != < <= > >= is expected");
  }

  absl::StatusOr<FilterLiteral> ParseLiteral() {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return ParseText();
    const std::size_t begin = at_;
    FilterLiteral literal{.quoted = false, .text = std::string(Take(IsWordChar))};
    if (literal.text.empty()) return ListError(kFilter, begin, "a value is expected");
    SkipSpace();
    return literal;
  }

  absl::StatusOr<FilterLiteral> ParseText() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    FilterLiteral literal{.quoted = true, .text = {}};
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        ++at_;
        const bool escape = at_ < text_.size() && (text_[at_] == '\\' || text_[at_] == '"' || text_[at_] == '\'');
        if (!escape) return ListError(kFilter, at_ - 1, "\\ stands before a quote or another \\ only");
      }
      literal.text += text_[at_++];
    }
    if (at_ == text_.size()) return ListError(kFilter, begin, "the text that begins here does not end");
    ++at_;
    SkipSpace();
    return literal;
  }

  std::string_view Take(bool (*is_part)(char)) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_part(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  const ReadModelSchema& schema_;
  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Condition> conditions_;
};

}  // namespace

absl::StatusOr<std::vector<Condition>> ParseFilter(const ReadModelSchema& schema, std::string_view text) {
  if (text.size() > kMaxListTextBytes) return ListTextTooLong(kFilter, text.size());
  return FilterParser(schema, text).Parse();
}

}  // namespace everfold
