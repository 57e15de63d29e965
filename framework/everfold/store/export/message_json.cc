#include "everfold/store/export/message_json.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/type.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace everfold {
namespace {

namespace util = google::protobuf::util;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

// Entries of maps in the order of their keys, so that equal messages have equal texts.
bool Serialize(const Message& message, std::string& bytes) {
  bytes.clear();
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  return message.SerializeToCodedStream(&coded);
}

constexpr char kUrlPrefix[] = "type.googleapis.com";

std::string UrlOf(const std::string& type) { return absl::StrFormat("%s/%s", kUrlPrefix, type); }

// The library's own status, or Abseil's, by its version.
using LibraryStatus = decltype(std::declval<util::TypeResolver&>().ResolveMessageType("", nullptr));

constexpr std::size_t kMostWordsBytes = 200;

// On one line. They hold bytes of the text, which may be anything: what a terminal would obey is escaped. Where the
// text does not parse, a second line has what stands around the place, and a third one an arrow to it.
std::string WordsOf(const LibraryStatus& status) {
  const absl::string_view whole(status.message().data(), status.message().size());
  const std::vector<absl::string_view> lines = absl::StrSplit(whole, absl::MaxSplits('\n', 2));
  std::string words(lines[0]);
  if (lines.size() > 1) absl::StrAppend(&words, " At: ", lines[1]);
  const bool cut = words.size() > kMostWordsBytes;
  return absl::CEscape(words.substr(0, kMostWordsBytes)) + (cut ? "..." : "");
}

}  // namespace

bool IsNestedDeeper(std::string_view json, int limit) {
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      if (c == '\\') ++i;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      if (++depth > limit) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

// Descriptions of types, each made once.
class MessageJson::Types final : public util::TypeResolver {
 public:
  LibraryStatus ResolveMessageType(const std::string& url, google::protobuf::Type* type) override {
    const auto [known, is_new] = messages_.try_emplace(url);
    LibraryStatus status;
    if (is_new) status = pool_->ResolveMessageType(url, &known->second);
    if (status.ok()) *type = known->second;
    if (!status.ok()) messages_.erase(known);
    return status;
  }
  LibraryStatus ResolveEnumType(const std::string& url, google::protobuf::Enum* type) override {
    const auto [known, is_new] = enums_.try_emplace(url);
    LibraryStatus status;
    if (is_new) status = pool_->ResolveEnumType(url, &known->second);
    if (status.ok()) *type = known->second;
    if (!status.ok()) enums_.erase(known);
    return status;
  }

 private:
  const std::unique_ptr<util::TypeResolver> pool_{
      util::NewTypeResolverForDescriptorPool(kUrlPrefix, DescriptorPool::generated_pool())};
  absl::flat_hash_map<std::string, google::protobuf::Type> messages_;  // by URL
  absl::flat_hash_map<std::string, google::protobuf::Enum> enums_;
};

MessageJson::MessageJson() : types_(std::make_unique<Types>()) {}
MessageJson::~MessageJson() = default;

absl::StatusOr<std::string> MessageJson::Write(const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  std::string json;
  if (!Serialize(message, bytes_)) return absl::InternalError(type + " does not serialize");
  const auto status = util::BinaryToJsonString(types_.get(), UrlOf(type), bytes_, &json);
  if (status.ok()) return json;
  return absl::InternalError(absl::StrFormat("%s has no JSON form: %s", type, WordsOf(status)));
}

absl::Status MessageJson::Read(std::string_view json, Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (IsNestedDeeper(json, kMaxJsonNesting)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("is no %s: it is nested deeper than %d levels", type, kMaxJsonNesting));
  }
  bytes_.clear();
  const auto status =
      util::JsonToBinaryString(types_.get(), UrlOf(type), std::string(json), &bytes_, util::JsonParseOptions());
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrFormat("is no %s: %s", type, WordsOf(status)));
  if (message.ParseFromString(bytes_)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("is no %s: a text in it is no UTF-8", type));
}

bool MessageJson::ToStruct(const std::string& type, const std::string& payload, google::protobuf::Struct& value) {
  value.Clear();
  if (!Decodes(type, payload)) return false;
  text_.clear();
  if (!util::BinaryToJsonString(types_.get(), UrlOf(type), payload, &text_).ok()) return false;
  if (IsNestedDeeper(text_, kMaxStructNesting)) return false;
  if (Read(text_, value).ok()) return true;
  value.Clear();  // a well-known type, for one, is no object in JSON
  return false;
}

bool MessageJson::Decodes(const std::string& type, const std::string& payload) const {
  const auto* const descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return false;
  const Message* const prototype = MessageFactory::generated_factory()->GetPrototype(descriptor);
  if (prototype == nullptr) return false;
  const std::unique_ptr<Message> message(prototype->New());
  return message->ParseFromString(payload);
}

}  // namespace everfold
