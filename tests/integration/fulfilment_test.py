"""The shop and its payment provider under everything that goes wrong at once: declined payments, lost, doubled and late
answers, orders that take too long, customers who change their minds, goods that are short or come back, and kill -9 of
both programs every few seconds. Afterwards a ledger outside of both adds everything up.

EVERFOLD_ORDERS: how many orders, 300 if it is not set. EVERFOLD_SEED: a run once more, as far as threads allow.
"""

import collections
import concurrent.futures
import contextlib
import os
import random
import sqlite3
import threading
import time

import grpc
import shop_app
import wallet_app
from fake_psp import FakePsp
from fulfilment_ledger import Ledger
from wallet_app import client

client.INCLUDES.append(wallet_app.ROOT / "sample-apps/shop/proto")
client.PROTOS[:] = ["everfold/v1/money.proto", *(f"shop/v1/{name}.proto" for name in (
    "order", "order_api", "payment", "stock", "stock_api", "order_book", "order_book_api"))]
client.generate_stubs(wallet_app.WORK / "stubs")

from everfold.v1 import money_pb2  # noqa: E402
from google.protobuf import duration_pb2  # noqa: E402
from shop.v1 import order_api_pb2 as order_api  # noqa: E402
from shop.v1 import order_api_pb2_grpc as order_services  # noqa: E402
from shop.v1 import order_book_api_pb2 as book_api  # noqa: E402
from shop.v1 import order_book_api_pb2_grpc as book_services  # noqa: E402
from shop.v1 import order_pb2 as orders  # noqa: E402
from shop.v1 import payment_pb2 as payments  # noqa: E402
from shop.v1 import stock_api_pb2 as stock_api  # noqa: E402
from shop.v1 import stock_api_pb2_grpc as stock_services  # noqa: E402
from shop.v1 import stock_pb2 as stocks  # noqa: E402

ORDERS = int(os.environ.get("EVERFOLD_ORDERS", 300))
SEED = int(os.environ.get("EVERFOLD_SEED", random.SystemRandom().randrange(1 << 32)))
PRODUCTS = [f"p{number}" for number in range(20)]
FAULTS = {"--drop-request": 0.05, "--drop-answer": 0.05, "--hang": 0.2, "--delay": 0.1, "--twice": 0.1,
          "--reorder": 0.1, "--decline": 0.05, "--pending": 0.1, "--most-delay-ms": 500}
# What leaves it open whether the command was taken: it is sent again under the same request_id.
UNDECIDED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN,
             grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
CHANNEL = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 200),
           ("grpc.max_reconnect_backoff_ms", 1000)]
OPEN = ["PLACED", "STOCK_RESERVED", "PAYMENT_AUTHORIZED", "CONFIRMED", "SHIPPED", "RETURNED"]


def brl(minor):
    return money_pb2.Money(currency="BRL", minor=minor)


class Plan:
    """What the customer of one order wants, and what the goods and the bank are like."""

    def __init__(self, number):
        dice = random.Random(f"{SEED} order {number}")
        self.name = f"o{number}"
        self.what = dice.choices(["keep", "cancel at once", "cancel when confirmed", "return", "refuse the parcel"],
                                 [70, 10, 7, 8, 5])[0]
        items = [orders.OrderItem(product_id=product, seller_id="s1", price=brl(dice.randrange(1, 10000)),
                                  freight=brl(dice.randrange(0, 500)), quantity=dice.randrange(1, 4))
                 for product in dice.sample(PRODUCTS, dice.randrange(1, 4))]
        checkout = orders.Checkout(payment_token=dice.choices(["card", "decline-card"], [95, 5])[0],
                                   method=payments.PAYMENT_METHOD_CREDIT_CARD,
                                   confirm_within=duration_pb2.Duration(seconds=dice.choices([1, 600], [10, 90])[0]))
        self.order = orders.PlaceOrder(order_id=self.name, customer_id=f"c{number % 50}", currency="BRL", items=items,
                                       checkout=checkout)


class Shop:
    """Commands and queries for as long as it takes, whoever is killed meanwhile."""

    def __init__(self, app):
        self.channel = grpc.insecure_channel(app.address, options=CHANNEL)
        self.orders = order_services.OrderCommandServiceStub(self.channel)
        self.stocks = stock_services.StockCommandServiceStub(self.channel)
        self.book = book_services.OrderSummaryQueryServiceStub(self.channel)
        self.counts = book_services.OrdersByStatusQueryServiceStub(self.channel)

    def until_decided(self, method, request):
        """The answer; None if the command was rejected."""
        while True:
            try:
                return method(request, timeout=5, wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                    return None
                if error.code() not in UNDECIDED:
                    raise

    def place(self, plan):
        request = order_api.PlaceOrderRequest(command=plan.order, request_id=f"place {plan.name}")
        return self.until_decided(self.orders.PlaceOrder, request)

    def step(self, verb, name, **fields):
        """ShipOrder and its like."""
        command = getattr(orders, f"{verb}Order")(order_id=name, **fields)
        request = getattr(order_api, f"{verb}OrderRequest")(command=command, request_id=f"{verb} {name}")
        return self.until_decided(getattr(self.orders, f"{verb}Order"), request)

    def receive(self, product, quantity):
        command = stocks.ReceiveStock(product_id=product, quantity=quantity)
        request = stock_api.ReceiveStockRequest(command=command, request_id=f"receive {product}")
        self.until_decided(self.stocks.ReceiveStock, request)

    def orders_in_book(self):
        rows = self.until_decided(self.counts.ListOrdersByStatuses, book_api.ListOrdersByStatusesRequest())
        return sum(row.orders for row in rows.orders_by_statuses)

    def list(self, condition, most=float("inf")):
        """Orders in the book that meet it: all, or some pages with so many."""
        rows, token = [], ""
        while True:
            page = self.until_decided(self.book.ListOrderSummaries, book_api.ListOrderSummariesRequest(
                page_size=1000, page_token=token, filter=condition))
            if page is None:  # the page's token was of a version that is gone
                return self.list(condition, most)
            rows += page.order_summaries
            token = page.next_page_token
            if not token or len(rows) >= most:
                return rows


class Chaos:
    """Kills one of the programs every few seconds, and starts it again, until it is stopped."""

    def __init__(self, *programs):
        self.programs = programs
        self.stopping = threading.Event()
        self.kills = collections.Counter()
        self.error = None
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        if self.error is not None:
            raise self.error

    def _run(self):
        dice = random.Random(f"{SEED} chaos")
        try:
            wait, victims = 0.3, self.programs  # all of them soon: a fast machine is done in seconds
            while not self.stopping.wait(wait):
                for program in victims:
                    program.kill()
                    program.start()
                    self.kills[type(program).__name__] += 1
                wait = dice.uniform(0.3, 2)
                victims = dice.choices([self.programs[:1], self.programs[1:], self.programs], [3, 3, 1])[0]
        except Exception as error:  # told by __exit__, in the test's own thread
            self.error = error


class Fulfilment(shop_app.ShopTest):
    def setUp(self):
        print(f"{ORDERS} orders, seed {SEED} (replay with EVERFOLD_SEED={SEED})", flush=True)
        self.patience = 120 + ORDERS / 10  # seconds

    def test_ends_every_order_and_loses_no_cent(self):
        shares = [str(part) for fault in FAULTS.items() for part in fault]
        provider = FakePsp("judged", *shares, "--seed", str(SEED))
        self.addCleanup(lambda: provider.process and provider.kill())
        provider.start()
        os.environ["SHOP_PAYMENT_PROVIDER"] = provider.address
        app = self.shop("judged")
        shop = Shop(app)
        self.addCleanup(shop.channel.close)
        plans = {plan.name: plan for plan in map(Plan, range(ORDERS))}
        bought = self.buy(shop, plans)
        with Chaos(app, provider) as chaos:
            self.trade(shop, plans)
        print(f"killed {dict(chaos.kills)}", flush=True)
        self.assertEqual(set(chaos.kills), {"ShopApp", "FakePsp"}, "the run was too short to kill both")
        ledger = self.settled_ledger(app, provider, bought)
        print(ledger.summary(), flush=True)
        self.assertEqual(provider.stop(), 0)
        self.assertEqual(set(ledger.orders), set(plans), "an order that was taken is there, and no other")
        self.assertEqual({"BRL": self.revenue_in_read_model(app)}, ledger.revenue())
        self.expect_all_kinds(ledger)
        self.expect_verified(app, seconds=self.patience)

    def buy(self, shop, plans):
        """Of most products there is enough, of some there is not."""
        wanted = collections.Counter()
        for plan in plans.values():
            for item in plan.order.items:
                wanted[item.product_id] += item.quantity
        bought = {product: max(1, wanted[product] // (2 if number < 2 else 1) + number)
                  for number, product in enumerate(PRODUCTS)}
        for product, pieces in bought.items():
            shop.receive(product, pieces)
        return bought

    def trade(self, shop, plans):
        """Customers order, the warehouse ships what is confirmed; returns when every order has ended."""
        deadline = time.monotonic() + self.patience
        pool = concurrent.futures.ThreadPoolExecutor
        with pool(32) as customers, pool(16) as warehouse:
            work = [customers.submit(self.order, shop, plan) for plan in plans.values()]
            handled = set()
            while True:
                # What is handled leaves the list, so its beginning is enough.
                for row in shop.list("status = ORDER_STATUS_CONFIRMED", most=2000):
                    if row.order_id not in handled:
                        handled.add(row.order_id)
                        work.append(warehouse.submit(self.handle, shop, plans[row.order_id]))
                if all(done.done() for done in work) and shop.orders_in_book() == len(plans):
                    going_on = [row for status in OPEN for row in shop.list(f"status = ORDER_STATUS_{status}")]
                    if not going_on:
                        break
                if time.monotonic() > deadline:
                    self.fail(f"not all orders have ended: {self.open_orders(shop)}")
                time.sleep(0.1)  # a warehouse that looks at its list now and then
            for done in work:
                done.result()

    def order(self, shop, plan):
        self.assertIsNotNone(shop.place(plan))
        if plan.what == "cancel at once":
            shop.step("Cancel", plan.name, reason="changed my mind")

    def handle(self, shop, plan):
        if plan.what == "cancel when confirmed":
            shop.step("Cancel", plan.name, reason="found it cheaper")
        elif shop.step("Ship", plan.name) is not None:
            if plan.what == "refuse the parcel":
                shop.step("Return", plan.name, reason="refused")
                return
            shop.step("Deliver", plan.name)
            if plan.what == "return":
                shop.step("Return", plan.name, reason="too small")

    def open_orders(self, shop):
        return {status: [row.order_id for row in shop.list(f"status = ORDER_STATUS_{status}")] for status in OPEN}

    def settled_ledger(self, app, provider, bought):
        """The ledger of everything, once what was under way when the last order ended is done. The app is stopped."""
        deadline = time.monotonic() + self.patience
        while True:
            wait_until_balanced(provider, deadline)
            self.assertEqual(app.stop(), 0)
            ledger, errors = self.ledger_of(app, provider, bought)
            if not errors or time.monotonic() > deadline:
                self.assertEqual(errors, [], f"{len(errors)} errors; the log is in {app.log}")
                return ledger
            app.start()

    def ledger_of(self, app, provider, bought):
        export = wallet_app.WORK / "judged.jsonl"
        export.unlink(missing_ok=True)
        self.expect_done(app.run("export", str(export), seconds=self.patience))
        ledger = Ledger()
        with open(export, encoding="utf-8") as lines:
            ledger.read_export(lines)
        return ledger, ledger.check(provider.report(), bought)

    def revenue_in_read_model(self, app):
        file = f"file:{app.read_model_file('revenue')}?mode=ro"
        with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
            query = "SELECT sum(captured_minor - refunded_minor) FROM revenue_by_method WHERE currency = 'BRL'"
            return database.execute(query).fetchone()[0]

    def expect_all_kinds(self, ledger):
        """A run in which nothing went wrong has shown nothing."""
        endings = collections.Counter(order.ending for order in ledger.orders.values())
        self.assertEqual(set(endings), {"canceled", "unavailable", "delivered", "refunded"}, endings)
        self.assertGreater(endings["delivered"], ORDERS / 4)
        released = [payment for payment in ledger.payments.values() if payment.minor["released"]]
        declined = [payment for payment in ledger.payments.values() if payment.currency is None]
        self.assertTrue(released, "no payment was released")
        self.assertTrue(declined, "no payment was declined")


def wait_until_balanced(provider, deadline):
    """Whatever is authorized is captured or released."""
    while time.monotonic() < deadline:
        totals = provider.report()["totals"]
        if all(int(one["authorized_minor"]) == int(one["captured_minor"]) + int(one["released_minor"]) for one in totals):
            return
        time.sleep(0.2)


if __name__ == "__main__":
    wallet_app.main()
