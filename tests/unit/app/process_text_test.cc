#include "everfold/app/process_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everfold {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::ProcessReference Reference(std::uint64_t version, std::uint32_t index) {
  v1::ProcessReference reference;
  reference.set_version(version);
  reference.set_index(index);
  return reference;
}

TEST(ProcessTextTest, ADroppedCommandIsNotAccepted) {
  v1::GetProcessInstanceResponse instance;
  v1::ProcessStep& step = *instance.add_steps()->mutable_step();
  step.mutable_dropped()->set_reason("the customer has called");
  *step.add_accepted() = Reference(1, 0);
  *step.add_accepted() = Reference(2, 0);
  const std::string text = FormatInstance(instance, nullptr);
  EXPECT_THAT(text, HasSubstr("command 2/0 is dropped"));
  EXPECT_THAT(text, HasSubstr("left out: the customer has called"));
  EXPECT_THAT(text, HasSubstr("accepted: command 1/0\n"));
}

TEST(ProcessTextTest, ADroppedInputHasItsAcceptedCommands) {
  v1::GetProcessInstanceResponse instance;
  v1::ProcessStep& step = *instance.add_steps()->mutable_step();
  step.mutable_timer()->set_name("payment");
  step.mutable_dropped()->set_reason("too late");
  *step.add_accepted() = Reference(1, 0);
  const std::string text = FormatInstance(instance, nullptr);
  EXPECT_THAT(text, HasSubstr("timer payment"));
  EXPECT_THAT(text, HasSubstr("accepted: command 1/0\n"));
  EXPECT_THAT(text, Not(HasSubstr("is dropped")));
}

TEST(ProcessTextTest, ShowsWhatIsParkedAndWhatIsTriedAgain) {
  v1::GetProcessInstanceResponse instance;
  v1::ParkedProcessInstance& parked = *instance.add_parked();
  parked.set_input("activity 2/0");
  parked.set_error("React threw");
  parked.set_parked(true);
  EXPECT_THAT(FormatInstance(instance, nullptr), HasSubstr("\nparked: activity 2/0: React threw\n"));
  v1::ProcessInfo info;
  info.set_name("fulfilment");
  info.set_activities_in_vain(2);
  info.mutable_activity_error()->set_message("pay: the line is down");
  info.set_waiting_sends(1);
  info.mutable_send_error()->set_message("the drawer is jammed");
  const std::string table = FormatProcesses({info});
  EXPECT_THAT(table, HasSubstr(" 3 "));
  EXPECT_THAT(table, HasSubstr("  fulfilment: commands are sent again: the drawer is jammed\n"));
  EXPECT_THAT(table, HasSubstr("  fulfilment: activities are tried again: pay: the line is down\n"));
}

TEST(ProcessTextTest, KeysArePrintedAsAShellTakesThem) {
  const auto printed = [](const std::string& key) {
    v1::ParkedProcessInstance parked;
    parked.set_instance(key);
    const std::string text = FormatParkedInstances({parked});
    return text.substr(0, text.find(": "));
  };
  EXPECT_EQ(printed("$process_fulfilment/o1"), "'$process_fulfilment/o1'");
  EXPECT_EQ(printed("$process_fulfilment/Z\u00fcrich"), "'$process_fulfilment/Z\u00fcrich'");
  EXPECT_EQ(printed("$process_fulfilment/o'1"), "'$process_fulfilment/o'\\''1'");
  EXPECT_EQ(printed("$process_fulfilment/" + std::string(200, 'x')).size(), 222u);
  v1::ListProcessInstancesResponse page;
  page.add_instances()->set_key("$process_fulfilment/o'1");
  page.set_next_page_token("$process_fulfilment/o'1");
  EXPECT_THAT(FormatInstances(page), HasSubstr("more: --after '$process_fulfilment/o'\\''1'\n"));
}

}  // namespace
}  // namespace everfold
