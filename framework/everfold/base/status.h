// Early returns for absl::Status and absl::StatusOr.
//
//   EVERFOLD_RETURN_IF_ERROR(log.Close());
//   EVERFOLD_ASSIGN_OR_RETURN(const Chunk chunk, DecodeChunk(bytes));
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define EVERFOLD_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                              \
    if (absl::Status everfold_status = (expression); !everfold_status.ok()) return everfold_status; \
  } while (false)

#define EVERFOLD_ASSIGN_OR_RETURN(declaration, expression) \
  EVERFOLD_ASSIGN_OR_RETURN_2_(EVERFOLD_CONCAT_(everfold_status_or_, __LINE__), declaration, expression)
#define EVERFOLD_ASSIGN_OR_RETURN_2_(status_or, declaration, expression) \
  auto status_or = (expression);                                         \
  if (!status_or.ok()) return std::move(status_or).status();             \
  declaration = *std::move(status_or)

#define EVERFOLD_CONCAT_(a, b) EVERFOLD_CONCAT_2_(a, b)
#define EVERFOLD_CONCAT_2_(a, b) a##b
