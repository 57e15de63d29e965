// The one place where exceptions of user code are met.
#pragma once

#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {

// What `call` returns, an absl::Status; INTERNAL (DECIDER_FAILED) if it throws. "Decide(wallet, Deposit)" is what
// threw, put together only then.
template <class Call>
absl::Status CatchUserCode(const char* function, const std::string& part, const std::string& type, Call call) {
  const auto failed = [&](const char* error) {
    return Error(absl::StatusCode::kInternal, reason::kDeciderFailed,
                 absl::StrFormat("%s(%s, %s) threw: %s", function, part, type, error));
  };
  try {
    return call();
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("something that is not a std::exception");
  }
}

}  // namespace everfold
