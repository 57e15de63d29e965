// Fields of a Protobuf message, written one by one in its wire format
// (https://protobuf.dev/programming-guides/encoding), for what is sent in such numbers that making messages of it costs
// more than all the rest.
//
// The same function goes over the fields twice, first with the sizes and then with the writer:
//
//   template <class To>
//   void Put(const Thing& thing, To& to) {
//     to.Number(v1::Thing::kCountFieldNumber, thing.count);
//     to.Bytes(v1::Thing::kNameFieldNumber, thing.name);
//   }
//
// What has its default is left out, but in a repeated field, as proto3 does. In the order of the fields' numbers the
// bytes are those that Protobuf makes.
#pragma once

#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace everfold {

namespace wire {

using google::protobuf::io::CodedOutputStream;

inline constexpr std::uint32_t kNumber = 0;  // wire types
inline constexpr std::uint32_t kBytes = 2;

constexpr std::uint32_t TagOf(int field, std::uint32_t wire_type) {
  return static_cast<std::uint32_t>(field) << 3 | wire_type;
}

}  // namespace wire

// How many bytes the fields take.
class FieldSizes {
 public:
  std::size_t size() const { return size_; }

  // A uint64, uint32, int64, int32 or enum.
  void Number(int field, std::uint64_t value) {
    if (value != 0) size_ += SizeOf(wire::TagOf(field, wire::kNumber)) + SizeOf(value);
  }
  void Bytes(int field, std::string_view bytes) {
    if (!bytes.empty()) Element(field, bytes);
  }
  // One of a repeated field.
  void Element(int field, std::string_view bytes) { Framed(field, bytes.size()); }
  // The text of both with a character between them.
  void Joined(int field, std::string_view before, char, std::string_view behind) {
    Framed(field, before.size() + 1 + behind.size());
  }
  // A message that has what `fields` puts into what it is called with.
  template <class Fields>
  void Message(int field, const Fields& fields) {
    FieldSizes inner;
    fields(inner);
    Framed(field, inner.size());
  }
  // Whatever has so many bytes.
  void Framed(int field, std::size_t bytes) {
    size_ += SizeOf(wire::TagOf(field, wire::kBytes)) + SizeOf(bytes) + bytes;
  }

 private:
  static std::size_t SizeOf(std::uint64_t varint) { return wire::CodedOutputStream::VarintSize64(varint); }

  std::size_t size_ = 0;
};

// Writes them. REQUIRES: there is room for as many bytes as FieldSizes has counted.
class FieldWriter {
 public:
  explicit FieldWriter(char* to) : to_(reinterpret_cast<std::uint8_t*>(to)) {}

  void Number(int field, std::uint64_t value) {
    if (value == 0) return;
    Varint(wire::TagOf(field, wire::kNumber));
    Varint(value);
  }
  void Bytes(int field, std::string_view bytes) {
    if (!bytes.empty()) Element(field, bytes);
  }
  void Element(int field, std::string_view bytes) {
    Frame(field, bytes.size());
    Raw(bytes);
  }
  void Joined(int field, std::string_view before, char between, std::string_view behind) {
    Frame(field, before.size() + 1 + behind.size());
    Raw(before);
    *to_++ = static_cast<std::uint8_t>(between);
    Raw(behind);
  }
  template <class Fields>
  void Message(int field, const Fields& fields) {
    FieldSizes sizes;
    fields(sizes);
    Frame(field, sizes.size());
    fields(*this);
  }
  // What comes before the bytes of such a field.
  void Frame(int field, std::size_t bytes) {
    Varint(wire::TagOf(field, wire::kBytes));
    Varint(bytes);
  }

 private:
  void Varint(std::uint64_t value) { to_ = wire::CodedOutputStream::WriteVarint64ToArray(value, to_); }
  void Raw(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }

  std::uint8_t* to_;
};

}  // namespace everfold
