// Tags of events, as queries of consistency boundaries name them:
//
//   Tag<"course_id">(c.course_id())   // the text "course_id:c1"
//
// Which tags an event has is declared where the event is: a field marked `tag`. Asking an event for one that it does
// not have is refused when it is compiled, because it would find nothing.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace everfold {

// Text in a template's arguments.
template <std::size_t kSize>
struct TagName {
  consteval TagName(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }  // NOLINT: implicit on purpose
  constexpr std::string_view view() const { return {text, kSize - 1}; }

  char text[kSize];
};

template <class T>
concept TagNumber = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

// Threading: as std::string.
template <TagName kName>
class Tag {
 public:
  explicit Tag(std::string_view value) { text_.append(kName.view()).append(":").append(value); }
  explicit Tag(TagNumber auto value) : Tag(std::string_view(std::to_string(value))) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What generated code collects the tags of an event with: each once.
inline void AddTag(std::vector<std::string>& tags, std::string tag) {
  if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
}

}  // namespace everfold
