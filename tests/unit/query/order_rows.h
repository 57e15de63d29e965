// A read model for tests of lists: a column of each kind that a list may name, and one that it may not.
#pragma once

#include "everfold/projection/read_model.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "google/protobuf/type.pb.h"

namespace everfold {

inline ReadModelSchema OrderRowSchema() {
  return {.message = "shop.v1.OrderRow",
          .table = "order_row",
          .columns = {{"id", ColumnType::kText},
                      {"customer", ColumnType::kText},
                      {"kind", ColumnType::kText, false, ColumnMeaning::kEnum, "",
                       google::protobuf::GetEnumDescriptor<google::protobuf::Field_Kind>()},
                      {"paid", ColumnType::kInteger, false, ColumnMeaning::kBool},
                      {"placed_at", ColumnType::kText, true, ColumnMeaning::kTimestamp},
                      {"total_minor", ColumnType::kInteger, true, ColumnMeaning::kPlain, "total.minor"},
                      {"weight", ColumnType::kReal},
                      {"mark", ColumnType::kBlob},
                      {"secret", ColumnType::kText}},
          .key = {0},
          .indexes = {{.columns = {1, 4}, .unique = false},
                      {.columns = {5, 2}, .unique = false},
                      {.columns = {3, 6, 7}, .unique = false}}};
}

}  // namespace everfold
