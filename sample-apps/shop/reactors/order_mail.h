// A mail to the customer for each order that is placed in this shop. Here a mail is a line in <data>/outbox/order_mail.
#pragma once

#include "everfold/reaction/reactor_type.h"
#include "reactors/outbox.h"
#include "shop/v1/order.everfold.h"

namespace shop::v1 {

using everfold::Reaction;

class OrderMail {
 public:
  static constexpr everfold::ReactorOptions kOptions{.name = "order_mail"};
  using Events = everfold::EventsOf<Order>;

  explicit OrderMail(const everfold::ReactorSetup& setup) : outbox_(setup.data_directory + "/outbox/order_mail") {}

  // Nobody gets mails about orders that another system has taken.
  absl::Status On(const OrderPlaced& e, const Reaction& reaction);

 private:
  Outbox outbox_;
};

}  // namespace shop::v1
