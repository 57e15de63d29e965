// Lists of a query service, which come page by page.
#pragma once

#include <utility>

#include "everfold/base/status.h"
#include "tools/import/unary_call.h"

namespace everfold {

// Calls `visit` with each page, and ends at the first error. The request says how large a page is.
template <class Response, class Stub, class Request, class Visit>
absl::Status ForEachPage(CallWindow& window, Stub& stub,
                         std::type_identity_t<UnaryMethod<Stub, Request, Response>> method, Request request,
                         Visit visit) {
  while (true) {
    Response page;
    EVERFOLD_RETURN_IF_ERROR(CallAndWait(window, stub, method, request, page));
    visit(std::as_const(page));
    if (page.next_page_token().empty()) return absl::OkStatus();
    request.set_page_token(page.next_page_token());
  }
}

}  // namespace everfold
