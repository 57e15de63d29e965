"""The ledger finds what is planted: a judge who finds nothing has proven nothing."""

import copy
import json
import unittest

from fulfilment_ledger import Ledger


def brl(amount):
    return {"currency": "BRL", "minor": str(amount)}


def terms(order):
    return {"orderId": order}


# Two orders: one is delivered, one returned and refunded; and one that is canceled after its payment was authorized.
def events():
    story = []

    def placed(order, pieces):
        items = [{"productId": "p1", "quantity": pieces}]
        story.append(("order", order, "OrderPlaced", {"currency": "BRL", "items": items, "itemsTotal": brl(100 * pieces),
                                                      "freightTotal": brl(7)}))
        story.append(("stock", "p1", "StockReserved", {"orderId": order, "quantity": str(pieces)}))
        story.append(("payment", order, "PaymentAuthorized", {"terms": terms(order), "amount": brl(100 * pieces + 7)}))

    def shipped(order, pieces):
        story.append(("order", order, "OrderShipped", {}))
        story.append(("stock", "p1", "StockShipped", {"orderId": order, "quantity": str(pieces)}))
        story.append(("payment", order, "PaymentCaptured", {"terms": terms(order), "amount": brl(100 * pieces + 7)}))
        story.append(("order", order, "OrderDelivered", {}))

    story.append(("stock", "p1", "StockReceived", {"quantity": "5"}))
    placed("delivered", 2)
    placed("refunded", 1)
    placed("canceled", 1)
    shipped("delivered", 2)
    shipped("refunded", 1)
    story.append(("order", "refunded", "OrderReturned", {}))
    story.append(("stock", "p1", "StockReceived", {"quantity": "1"}))
    story.append(("payment", "refunded", "PaymentRefunded", {"terms": terms("refunded"), "amount": brl(107)}))
    story.append(("order", "refunded", "OrderRefunded", {}))
    story.append(("order", "canceled", "OrderCanceled", {}))
    story.append(("stock", "p1", "StockReleased", {"orderId": "canceled", "quantity": "1"}))
    story.append(("payment", "canceled", "PaymentReleased", {"terms": terms("canceled"), "amount": brl(107)}))
    return story


def book(reference, *sums):
    verbs = ("authorized", "captured", "released", "refunded")
    return {"reference": reference, "currency": "BRL", **{f"{v}_minor": str(s) for v, s in zip(verbs, sums)}}


def report_of(books):
    totals = {"currency": "BRL"}
    for verb in ("authorized", "captured", "released", "refunded"):
        totals[f"{verb}_minor"] = str(sum(int(one[f"{verb}_minor"]) for one in books))
    return {"totals": [totals], "payments": books}


BOOKS = [book("delivered", 207, 207, 0, 0), book("refunded", 107, 107, 0, 107), book("canceled", 107, 0, 107, 0)]


def errors_of(story, report):
    lines = []
    for aggregate, name, event, fields in story:
        stream = {"stream": f"{aggregate}/{name}", "events": [{"type": f"shop.v1.{event}", "json": fields}]}
        lines.append(json.dumps({"commit": {"streams": [stream]}}))
    ledger = Ledger()
    ledger.read_export(lines)
    return "\n".join(ledger.check(report, {"p1": 5}))


class LedgerTest(unittest.TestCase):
    def expect_found(self, story, report, *texts):
        found = errors_of(story, report)
        for text in texts:
            self.assertIn(text, found)

    def without(self, event, name):
        story = events()
        kept = [one for one in story if not (one[2] == event and name in (one[1], one[3].get("orderId")))]
        self.assertEqual(len(kept), len(story) - 1)
        return kept

    def twice(self, event, name):
        return [one for story in events() for one in [story] * (2 if (story[2], story[1]) == (event, name) else 1)]

    def test_finds_nothing_where_all_agrees(self):
        self.assertEqual(errors_of(events(), report_of(BOOKS)), "")

    def test_finds_stock_below_nothing(self):
        story = events()
        story[0][3]["quantity"] = "3"
        self.expect_found(story, report_of(BOOKS), "p1 has 3 pieces, and -1 that are not set aside, after StockReserved")

    def test_finds_stock_that_is_held_for_ever(self):
        self.expect_found(self.without("StockReleased", "canceled"), report_of(BOOKS), "still reserved for ['canceled']")

    def test_finds_stock_that_is_shipped_and_not_ordered(self):
        self.expect_found(self.without("OrderShipped", "delivered"), report_of(BOOKS), "p1: 5 were bought, orders kept 0, and 3 are left",
                          "order delivered is delivered, and shipped is False")

    def test_finds_goods_that_came_back_and_are_nowhere(self):
        story = [one for one in events() if one[3] != {"quantity": "1"}]
        self.expect_found(story, report_of(BOOKS), "p1: 5 were bought and 1 came back, and 5 came in",
                          "p1: 5 were bought, orders kept 2, and 2 are left")

    def test_finds_a_promise_that_is_neither_taken_nor_released(self):
        self.expect_found(self.without("PaymentReleased", "canceled"), report_of(BOOKS),
                          "payment canceled: authorized 107 is not captured 0 + released 0",
                          "order canceled: the provider has")

    def test_finds_goods_that_are_not_paid(self):
        self.expect_found(self.without("PaymentCaptured", "delivered"), report_of(BOOKS),
                          "order delivered is delivered, and of 207 0 is captured and 0 refunded")

    def test_finds_a_payment_that_is_captured_twice(self):
        self.expect_found(self.twice("PaymentCaptured", "delivered"), report_of(BOOKS), "captured 2 times")

    def test_finds_an_order_that_does_not_end(self):
        self.expect_found(self.without("OrderRefunded", "refunded"), report_of(BOOKS), "order refunded has not ended")

    def test_finds_a_payer_who_is_charged_twice(self):
        books = copy.deepcopy(BOOKS) + [book("delivered", 207, 207, 0, 0)]
        self.expect_found(events(), report_of(books), "order delivered is charged 2 times", "BRL: the provider has")

    def test_finds_a_cent(self):
        books = copy.deepcopy(BOOKS)
        books[0]["captured_minor"] = "206"
        self.expect_found(events(), report_of(books), "order delivered: the provider has", "BRL: the provider has")

    def test_finds_totals_that_are_no_sums(self):
        report = report_of(BOOKS)
        report["totals"][0]["refunded_minor"] = "0"
        self.expect_found(events(), report, "are not the sums of its payments")


if __name__ == "__main__":
    unittest.main(verbosity=2)
