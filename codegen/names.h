// Names as they are spelled in generated files.
#pragma once

#include <string>

#include "google/protobuf/descriptor.h"

namespace everfold::codegen {

namespace pb = google::protobuf;

// "WalletBalance" -> "wallet_balance", "HTTPCall" -> "http_call".
std::string SnakeCase(const std::string& name);
// English: "Balance" -> "Balances", "Category" -> "Categories", "Box" -> "Boxes".
std::string Plural(const std::string& noun);

// "wallet/v1/wallet.proto" -> "wallet/v1/wallet".
std::string Stem(const pb::FileDescriptor& file);
// "wallet/v1/wallet.proto" -> "wallet.proto".
std::string BaseName(const pb::FileDescriptor& file);

// The message's name in the .proto language, seen from `package`: "Wallet", "Line.Kind", "other.v1.Color".
std::string ProtoName(const std::string& full_name, const std::string& its_package, const std::string& package);

// "wallet::v1"; "" for a file without package. REQUIRES: the file has a message.
std::string CppNamespace(const pb::FileDescriptor& file);
// protoc's name of the class: "Order_Line", and "::shop::v1::Order_Line".
std::string ClassName(const pb::Descriptor& message);
std::string QualifiedName(const pb::Descriptor& message);
std::string QualifiedName(const pb::EnumDescriptor& enumeration);
// protoc's name of the accessors: lower case, with "_" after a keyword.
std::string FieldName(const pb::FieldDescriptor& field);
// As one value of the field has it in C++: "std::int64_t", "std::string", "::shop::v1::Money".
std::string ValueType(const pb::FieldDescriptor& field);

// A string literal, with its quotes.
std::string CppLiteral(const std::string& bytes);

}  // namespace everfold::codegen
