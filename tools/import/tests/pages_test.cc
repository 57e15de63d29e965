#include "tools/import/pages.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

class Request {
 public:
  const std::string& page_token() const { return page_token_; }
  void set_page_token(const std::string& token) { page_token_ = token; }

 private:
  std::string page_token_;
};

struct Response {
  std::string text;
  std::string next;
  const std::string& next_page_token() const { return next; }
};

// In place of a generated stub: a book of three pages, the last of which may be torn out.
class Book {
 public:
  class async_interface {
   public:
    void Read(grpc::ClientContext*, const Request* request, Response* response,
              std::function<void(grpc::Status)> answer) {
      const std::string& token = request->page_token();
      if (token == "3" && torn) return answer(grpc::Status(grpc::StatusCode::ABORTED, "torn out"));
      *response = token.empty() ? Response{"one", "2"} : token == "2" ? Response{"two", "3"} : Response{"three", ""};
      answer(grpc::Status::OK);
    }
    bool torn = false;
  };
  async_interface* async() { return &pages_; }

 private:
  async_interface pages_;
};

std::vector<std::string> Read(Book& book, absl::Status& status) {
  CallWindow window({.in_flight = 1});
  std::vector<std::string> texts;
  status = ForEachPage<Response>(window, book, &Book::async_interface::Read, Request(),
                                 [&texts](const Response& page) { texts.push_back(page.text); });
  return texts;
}

TEST(ForEachPage, VisitsAllInOrder) {
  Book book;
  absl::Status status;
  EXPECT_THAT(Read(book, status), ElementsAre("one", "two", "three"));
  EXPECT_EQ(status, absl::OkStatus());
}

TEST(ForEachPage, EndsAtAnError) {
  Book book;
  book.async()->torn = true;
  absl::Status status;
  EXPECT_THAT(Read(book, status), ElementsAre("one", "two"));
  EXPECT_EQ(status, absl::AbortedError("torn out"));
}

}  // namespace
}  // namespace everfold
