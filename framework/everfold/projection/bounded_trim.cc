#include "everfold/projection/bounded_trim.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"

namespace everfold::sqlite {
namespace {

struct Trim {
  const char* name;
  bool left;
  bool right;
};
constexpr Trim kTrims[] = {{"trim", true, true}, {"ltrim", true, false}, {"rtrim", false, true}};

// As SQLite takes UTF-8 apart, whether it is any or not.
std::vector<std::string_view> CharactersOf(std::string_view text) {
  const auto byte = [&text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  std::vector<std::string_view> characters;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    if (byte(begin) >= 0xc0) {
      while (end < text.size() && (byte(end) & 0xc0) == 0x80) ++end;
    }
    characters.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return characters;
}

std::string_view TextOf(sqlite3_value* value) {
  const unsigned char* const text = sqlite3_value_text(value);  // before its bytes are asked for
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void Run(sqlite3_context* context, int, sqlite3_value** arguments) {
  const Trim& trim = *static_cast<const Trim*>(sqlite3_user_data(context));
  const bool is_null =
      sqlite3_value_type(arguments[0]) == SQLITE_NULL || sqlite3_value_type(arguments[1]) == SQLITE_NULL;
  if (is_null) return;  // so is the result
  std::string_view text = TextOf(arguments[0]);
  const std::string_view set = TextOf(arguments[1]);
  if (set.size() > kMaxTrimBytes) {
    const std::string error = absl::StrFormat("%s: at most %d bytes of characters to take off, %d are given", trim.name,
                                              kMaxTrimBytes, set.size());
    return sqlite3_result_error(context, error.c_str(), -1);
  }
  const std::vector<std::string_view> characters = CharactersOf(set);
  const auto at_begin = [&text](std::string_view character) { return text.starts_with(character); };
  const auto at_end = [&text](std::string_view character) { return text.ends_with(character); };
  while (trim.left) {
    const auto found = std::find_if(characters.begin(), characters.end(), at_begin);
    if (found == characters.end()) break;
    text.remove_prefix(found->size());
  }
  while (trim.right) {
    const auto found = std::find_if(characters.begin(), characters.end(), at_end);
    if (found == characters.end()) break;
    text.remove_suffix(found->size());
  }
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

int AddBoundedTrim(sqlite3* database) {
  for (const Trim& trim : kTrims) {
    const int code =
        sqlite3_create_function_v2(database, trim.name, 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                   const_cast<Trim*>(&trim), &Run, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

}  // namespace everfold::sqlite
