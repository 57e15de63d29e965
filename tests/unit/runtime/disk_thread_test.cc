#include "everfold/runtime/disk_thread.h"

#include <memory>
#include <thread>
#include <vector>

#include "everfold/base/mutex.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(DiskThread, RunsTasksInOrderOnOneOtherThread) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  {
    DiskThread disk("disk");
    for (int i = 0; i < 1000; ++i) {
      disk.Post([&, i] {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(std::count(threads.begin(), threads.end(), threads[0]), 1000);
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(DiskThread, PostDoesNotWait) {
  Notification go_on;
  bool ran = false;
  DiskThread disk("disk");
  disk.Post([&] { go_on.WaitForNotification(); });
  disk.Post([&] { ran = true; });
  EXPECT_FALSE(ran);
  go_on.Notify();
}

TEST(DiskThread, TheDestructorRunsWhatIsPostedAndWhatThatPosts) {
  int ran = 0;
  {
    DiskThread disk("disk");
    disk.Post([&] {
      ++ran;
      disk.Post([&] {
        ++ran;
        disk.Post([&] { ++ran; });
      });
    });
  }
  EXPECT_EQ(ran, 3);
}

TEST(DiskThread, HasItsName) {
  char name[16] = {};
  Notification read;
  DiskThread disk("everfold-disk");
  // Posted from here, so behind the constructor, which gives the name.
  disk.Post([&] {
    pthread_getname_np(pthread_self(), name, sizeof(name));
    read.Notify();
  });
  read.WaitForNotification();
  EXPECT_STREQ(name, "everfold-disk");
}

TEST(DiskThread, AStepLetsGoOfWhatItHoldsBeforeTheNextOne) {
  auto held = std::make_shared<int>();
  long users = 0;
  {
    DiskThread disk("disk");
    Notification go_on;
    disk.Post([&] { go_on.WaitForNotification(); });
    disk.Post([held] {});
    disk.Post([&] { users = held.use_count(); });
    go_on.Notify();
  }
  EXPECT_EQ(users, 1);
}

}  // namespace
}  // namespace everfold
