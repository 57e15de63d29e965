// What commands to customers lead to: to one, and to all of them where an e-mail address is concerned.
#pragma once

#include <string>

#include "absl/strings/ascii.h"
#include "shop/v1/customer.everfold.h"

namespace shop::v1 {

using everfold::AnyOf, everfold::BoundaryDecision, everfold::Context, everfold::Decision, everfold::Emit,
    everfold::EventsWith, everfold::Nothing, everfold::Reject, everfold::Tag, everfold::To;

struct CustomerDecider {
  using Aggregate = Customer;

  static Decision<Customer> Decide(const Customer& s, const RenameCustomer& c, Context&) {
    if (c.name() == s.name()) return Nothing();
    return Emit(MakeCustomerRenamed({.name = c.name()}));
  }

  static void Evolve(Customer& s, const CustomerRegistered& e) {
    s.set_email(e.email());
    s.set_name(e.name());
  }
  static void Evolve(Customer& s, const CustomerEmailChanged& e) { s.set_email(e.email()); }
  static void Evolve(Customer& s, const CustomerRenamed& e) { s.set_name(e.name()); }
};

// An e-mail address belongs to one customer at a time. An event that gives an address up is found by it, as the one
// that took it: so who has an address is known from the events of the address alone.
struct EmailBookDecider {
  using Boundary = EmailBook;

  // What is compared. Two spellings of one address in upper and lower case are one address; of letters beyond ASCII
  // both cases are kept apart.
  static std::string Normalized(const std::string& email) { return absl::AsciiStrToLower(email); }

  static auto Of(const std::string& customer, const std::string& email) {
    return AnyOf(EventsWith<CustomerRegistered, CustomerEmailChanged>(Tag<"email">(Normalized(email))),
                 EventsWith<CustomerRegistered, CustomerEmailChanged>(Tag<"customer_id">(customer)));
  }
  static auto Query(const RegisterCustomer& c) { return Of(c.customer_id(), c.email()); }
  static auto Query(const ChangeEmail& c) { return Of(c.customer_id(), c.email()); }

  static BoundaryDecision<EmailBook> Decide(const EmailBook& s, const RegisterCustomer& c, Context&) {
    const std::string email = Normalized(c.email());
    if (s.emails().contains(c.customer_id())) return Reject(MakeCustomerKnown({.customer_id = c.customer_id()}));
    if (IsTaken(s, email)) return Reject(MakeEmailTaken({.email = email}));
    return Emit(To(c.customer_id(),
                   MakeCustomerRegistered({.customer_id = c.customer_id(), .email = email, .name = c.name()})));
  }
  static BoundaryDecision<EmailBook> Decide(const EmailBook& s, const ChangeEmail& c, Context&) {
    const std::string email = Normalized(c.email());
    const auto own = s.emails().find(c.customer_id());
    if (own == s.emails().end()) return Reject(MakeNoSuchCustomer({.customer_id = c.customer_id()}));
    if (own->second == email) return Nothing();
    if (IsTaken(s, email)) return Reject(MakeEmailTaken({.email = email}));
    return Emit(To(c.customer_id(), MakeCustomerEmailChanged(
                                        {.customer_id = c.customer_id(), .email = email, .last_email = own->second})));
  }

  static void Evolve(EmailBook& s, const CustomerRegistered& e) { (*s.mutable_emails())[e.customer_id()] = e.email(); }
  static void Evolve(EmailBook& s, const CustomerEmailChanged& e) {
    (*s.mutable_emails())[e.customer_id()] = e.email();
  }

 private:
  static bool IsTaken(const EmailBook& s, const std::string& email) {
    for (const auto& [customer, taken] : s.emails()) {
      if (taken == email) return true;
    }
    return false;
  }
};

}  // namespace shop::v1
