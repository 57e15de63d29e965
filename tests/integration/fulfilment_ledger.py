#!/usr/bin/env python3
"""An independent ledger of the shop: adds up an export of its log and a report of the payment provider's books, with
nothing of the shop but the names of its events, and tells whatever does not agree.

  python3 tests/integration/fulfilment_ledger.py EXPORT REPORT BOUGHT

EXPORT is what `shop export FILE` writes, REPORT what `fake-psp report` prints, and BOUGHT how many pieces of each
product the warehouse was told of by whoever bought them, as JSON: {"p1": 100}. Exit code 1 if something is wrong.
"""

import collections
import json
import sys

MONEY = ("authorized", "captured", "released", "refunded")


class Order:
    def __init__(self):
        self.total = self.currency = self.pieces = None
        self.ending = None  # canceled, unavailable, delivered, refunded; None while it goes on
        self.shipped = self.returned = False


class Payment:
    def __init__(self):
        self.currency = self.order = None
        self.minor = dict.fromkeys(MONEY, 0)
        self.captures = 0


class Stock:
    def __init__(self):
        self.on_hand = 0
        self.reserved = {}  # by order
        self.set_aside = 0  # the sum of those


class Ledger:
    def __init__(self):
        self.orders = collections.defaultdict(Order)
        self.payments = collections.defaultdict(Payment)
        self.stocks = collections.defaultdict(Stock)
        self.received = collections.Counter()  # pieces by product
        self.errors = []
        self.events = 0

    # --- the shop's events --------------------------------------------------------------------------------------------

    def read_export(self, lines):
        for line in lines:
            for stream in json.loads(line).get("commit", {}).get("streams", []):
                aggregate, _, name = stream["stream"].partition("/")
                for event in stream.get("events", []):
                    if aggregate in ("order", "payment", "stock"):
                        self.take(aggregate, name, event["type"].removeprefix("shop.v1."), event["json"])

    def take(self, aggregate, name, event, fields):
        self.events += 1
        getattr(self, f"on_{aggregate}")(name, event, fields)

    def on_order(self, name, event, fields):
        order = self.orders[name]
        if event == "OrderPlaced":
            self.expect(order.total is None, f"order {name} is placed twice")
            order.currency = fields["currency"]
            order.total = minor(fields["itemsTotal"]) + minor(fields["freightTotal"])
            order.pieces = collections.Counter()
            for item in fields["items"]:
                order.pieces[item["productId"]] += int(item["quantity"])
            return
        self.expect(order.total is not None, f"order {name} has {event} before it is placed")
        ends = {"OrderCanceled": "canceled", "OrderMarkedUnavailable": "unavailable", "OrderDelivered": "delivered",
                "OrderRefunded": "refunded"}
        if event in ends:
            order.ending = ends[event]
        elif event == "OrderShipped":
            order.shipped = True
        elif event == "OrderReturned":
            order.returned = True
            order.ending = None

    def on_payment(self, name, event, fields):
        payment = self.payments[name]
        payment.order = fields["terms"]["orderId"]
        verbs = {"PaymentAuthorized": "authorized", "PaymentCaptured": "captured", "PaymentReleased": "released",
                 "PaymentRefunded": "refunded"}
        if event in verbs:
            currency = fields["amount"]["currency"]
            self.expect(payment.currency in (None, currency), f"payment {name} is in two currencies")
            payment.currency = currency
            payment.minor[verbs[event]] += minor(fields["amount"])
            payment.captures += event == "PaymentCaptured"

    def on_stock(self, product, event, fields):
        stock = self.stocks[product]
        quantity = int(fields["quantity"])
        order = fields.get("orderId")
        if event == "StockReceived":
            stock.on_hand += quantity
            self.received[product] += quantity
        elif event == "StockReserved":
            self.expect(order not in stock.reserved, f"{product} is reserved twice for order {order}")
            stock.reserved[order] = quantity
            stock.set_aside += quantity
        else:
            held = stock.reserved.pop(order, 0)
            stock.set_aside -= held
            self.expect(held == quantity, f"{event} of {product} for order {order}: {quantity}, of {held} reserved")
            if event == "StockShipped":
                stock.on_hand -= quantity
        available = stock.on_hand - stock.set_aside
        self.expect(stock.on_hand >= 0 and available >= 0,
                    f"{product} has {stock.on_hand} pieces, and {available} that are not set aside, after {event}")

    # --- what must hold -----------------------------------------------------------------------------------------------

    def check(self, report, bought):
        payments = collections.defaultdict(list)
        for payment in self.payments.values():
            payments[payment.order].append(payment)
        for name, order in self.orders.items():
            self.check_order(name, order, payments[name])
        for name, payment in self.payments.items():
            self.check_payment(name, payment)
        self.check_stocks(bought)
        self.check_provider(report)
        return self.errors

    def check_order(self, name, order, payments):
        paid = sum(payment.minor["captured"] for payment in payments)
        back = sum(payment.minor["refunded"] for payment in payments)
        wanted = {"canceled": (0, 0), "unavailable": (0, 0), "delivered": (order.total, 0),
                  "refunded": (order.total, order.total)}.get(order.ending)
        if wanted is None:
            self.errors.append(f"order {name} has not ended")
            return
        self.expect((paid, back) == wanted,
                    f"order {name} is {order.ending}, and of {order.total} {paid} is captured and {back} refunded")
        self.expect(order.shipped == (order.ending in ("delivered", "refunded")),
                    f"order {name} is {order.ending}, and shipped is {order.shipped}")

    def check_payment(self, name, payment):
        sums = payment.minor
        self.expect(sums["authorized"] == sums["captured"] + sums["released"],
                    f"payment {name}: authorized {sums['authorized']} is not captured {sums['captured']} + released "
                    f"{sums['released']}")
        self.expect(sums["refunded"] <= sums["captured"], f"payment {name}: more is refunded than was captured")
        self.expect(payment.captures <= 1, f"payment {name} is captured {payment.captures} times")

    def check_stocks(self, bought):
        kept, back = collections.Counter(), collections.Counter()
        for order in self.orders.values():
            if order.shipped:
                (back if order.returned else kept).update(order.pieces)
        for product, stock in self.stocks.items():
            self.expect(not stock.reserved, f"{product} is still reserved for {sorted(stock.reserved)[:5]}")
            self.expect(self.received[product] == bought[product] + back[product],
                        f"{product}: {bought[product]} were bought and {back[product]} came back, and "
                        f"{self.received[product]} came in")
            self.expect(stock.on_hand == bought[product] - kept[product],
                        f"{product}: {bought[product]} were bought, orders kept {kept[product]}, and {stock.on_hand} are "
                        "left")

    def totals(self):
        """By currency, of all payments."""
        totals = collections.defaultdict(lambda: dict.fromkeys(MONEY, 0))
        for payment in self.payments.values():
            for verb in MONEY if payment.currency else ():
                totals[payment.currency][verb] += payment.minor[verb]
        return dict(totals)

    def revenue(self):
        return {currency: sums["captured"] - sums["refunded"] for currency, sums in self.totals().items()}

    def check_provider(self, report):
        """The provider's books, payment by payment and in all."""
        charged = collections.Counter()
        books = collections.defaultdict(lambda: dict.fromkeys(MONEY, 0))
        sums = collections.defaultdict(lambda: dict.fromkeys(MONEY, 0))
        for book in report.get("payments", []):
            reference, currency = book["reference"], book["currency"]
            for verb in MONEY:
                amount = int(book[f"{verb}_minor"])
                books[reference, currency][verb] += amount
                sums[currency][verb] += amount
            charged[reference] += int(book["authorized_minor"]) > 0
        for reference, times in charged.items():
            self.expect(times <= 1, f"order {reference} is charged {times} times")
        own = collections.defaultdict(lambda: dict.fromkeys(MONEY, 0))
        for payment in self.payments.values():
            for verb in MONEY if payment.currency else ():
                own[payment.order, payment.currency][verb] += payment.minor[verb]
        nothing = dict.fromkeys(MONEY, 0)
        for key in {*books, *own}:
            self.expect(books.get(key, nothing) == own.get(key, nothing),
                        f"order {key[0]}: the provider has {books.get(key, nothing)}, the shop {own.get(key, nothing)}")
        told = {totals["currency"]: {verb: int(totals[f"{verb}_minor"]) for verb in MONEY}
                for totals in report.get("totals", [])}
        self.expect(told == dict(sums), f"the provider's totals {told} are not the sums of its payments {dict(sums)}")
        for currency in {*sums, *self.totals()}:
            self.expect(sums.get(currency, nothing) == self.totals().get(currency, nothing),
                        f"{currency}: the provider has {sums.get(currency)}, the shop {self.totals().get(currency)}")

    def expect(self, holds, error):
        if not holds:
            self.errors.append(error)

    def summary(self):
        endings = collections.Counter(order.ending or "open" for order in self.orders.values())
        return ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))


def minor(amount):
    return int(amount.get("minor", 0))


def main(export, report, bought):
    ledger = Ledger()
    with open(export, encoding="utf-8") as lines:
        ledger.read_export(lines)
    with open(report, encoding="utf-8") as provider, open(bought, encoding="utf-8") as pieces:
        errors = ledger.check(json.load(provider), json.load(pieces))
    for error in errors:
        print(error, file=sys.stderr)
    print(f"{ledger.events} events, {len(ledger.orders)} orders: {ledger.summary()}; revenue {ledger.revenue()}")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
