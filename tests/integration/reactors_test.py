"""The shop's reactor: one mail for each order, whatever is killed, and what operators see and do."""

import json
import os
import random
import threading

import grpc
import shop_app
import wallet_app
from wallet_app import client

client.INCLUDES.append(wallet_app.ROOT / "sample-apps/shop/proto")
client.PROTOS[:] = [
    "everfold/v1/money.proto",
    "shop/v1/payment.proto",
    "shop/v1/order.proto",
    "shop/v1/order_api.proto",
]
client.generate_stubs(wallet_app.WORK / "stubs")

from everfold.v1 import money_pb2  # noqa: E402
from shop.v1 import order_api_pb2 as api  # noqa: E402
from shop.v1 import order_api_pb2_grpc as services  # noqa: E402
from shop.v1 import order_pb2 as domain  # noqa: E402

SEED = int(os.environ.get("EVERFOLD_SEED", random.SystemRandom().randrange(1 << 32)))


def place(app, order):
    item = domain.OrderItem(
        product_id="p1", seller_id="s1", price=money_pb2.Money(currency="BRL", minor=10990), quantity=1
    )
    command = domain.PlaceOrder(order_id=order, customer_id=f"customer of {order}", currency="BRL", items=[item])
    request = api.PlaceOrderRequest(command=command, request_id=order)
    services.OrderCommandServiceStub(app.channel).PlaceOrder(request, timeout=10)


def outbox(app):
    return app.data / "outbox/order_mail"


def mails(app):
    """Whole lines alone: the last one may be on its way."""
    if not outbox(app).is_file():
        return []
    return [json.loads(line) for line in outbox(app).read_text().split("\n")[:-1]]


def subjects(app):
    return [mail["subject"].removeprefix("We have your order ") for mail in mails(app)]


class Reactors(shop_app.ShopTest):
    def setUp(self):
        print(f"seed {SEED} (replay with EVERFOLD_SEED={SEED})", flush=True)
        self.random = random.Random(SEED)

    def expect_answer(self, process, *texts):
        self.expect_done(process)
        for text in texts:
            self.assertIn(text, process.stdout)

    def expect_refused(self, process, text):
        self.assertNotEqual(process.returncode, 0, process.stdout)
        self.assertIn(text, process.stderr)

    def test_each_order_has_one_mail_whatever_is_killed(self):
        app = self.shop()
        acknowledged = []
        for round_number in range(6):
            enough = threading.Event()
            wanted = self.random.randrange(1, 60)

            def send(round_number=round_number, wanted=wanted, enough=enough):
                try:
                    for number in range(400):
                        order = f"o{round_number}-{number}"
                        place(app, order)
                        acknowledged.append(order)
                        if number + 1 >= wanted:
                            enough.set()
                except grpc.RpcError:
                    enough.set()

            sender = threading.Thread(target=send)
            sender.start()
            self.assertTrue(enough.wait(timeout=60))
            app.kill()
            sender.join()
            with open(outbox(app), "a", encoding="ascii") as torn:  # as if it had been killed in the middle of a line
                torn.write('{"id":"torn')
            app.start()
        wallet_app.wait_until("mails", lambda: set(acknowledged) <= set(subjects(app)))
        self.assertEqual(app.stop(), 0)
        ids = [mail["id"] for mail in mails(app)]
        self.assertEqual(len(set(ids)), len(ids), "a mail was written twice")
        self.assertEqual(len(set(subjects(app))), len(ids), "two mails about one order")
        self.expect_verified(app)
        self.assertEqual(len(mails(app)), len(ids), "a rebuild sent mails")

    def test_a_clean_stop_does_nothing_again(self):
        app = self.shop()
        for number in range(20):
            place(app, f"o{number}")
        wallet_app.wait_until("mails", lambda: len(mails(app)) == 20)
        self.assertEqual(app.stop(), 0)
        outbox(app).rename(app.data / "sent")
        app.start()
        place(app, "another")
        wallet_app.wait_until("the mail", lambda: mails(app))
        self.assertEqual(subjects(app), ["another"])
        self.assertRegex(app.ask("reactors").stdout, r"order_mail +running +\S+ +\S+ +1 ")

    def test_does_not_send_what_another_system_has_sold(self):
        app = self.shop()
        self.import_orders(app, shop_app.generate_orders("imported", 50))
        place(app, "o1")
        wallet_app.wait_until("the mail", lambda: mails(app))
        self.assertEqual(subjects(app), ["o1"])

    def test_operators_pause_retry_and_drop(self):
        app = self.shop()
        self.expect_answer(app.ask("reactors", "pause", "order_mail"), "order_mail: paused")
        place(app, "o1")
        place(app, "o2")
        self.assertEqual(app.stop(), 0)
        outbox(app).mkdir(parents=True)  # no file can be there
        app.start()
        self.expect_answer(app.ask("reactors", "list"), "paused")
        self.expect_answer(app.ask("reactors", "resume", "order_mail"), "order_mail: resumed")

        def waiting():
            return app.ask("reactors", "waiting", "order_mail").stdout

        wallet_app.wait_until("parked keys", lambda: waiting().count("parked") == 2)
        self.assertIn('"order/o1": "order/o1" version 1, tried 1 times, parked', waiting())
        self.assertIn("cannot open", waiting())
        self.expect_refused(app.ask("reactors", "retry", "order_mail", "order/o9"), 'no key "order/o9" waits')
        self.expect_refused(app.ask("reactors", "pause", "mail"), 'there is no reactor "mail"; there is: order_mail')
        drop = ["reactors", "drop", "order_mail", "order/o1", "--reason", "the customer has called"]
        self.expect_refused(app.ask(*drop, "--version", "2"), 'is order/o1 version 1, not "order/o1" version 2')
        self.expect_answer(app.ask(*drop, "--version", "1"), "order/o1: version 1 is dropped")
        outbox(app).rmdir()
        self.expect_answer(app.ask("reactors", "retry", "order_mail", "--all"), "all: tried again")
        wallet_app.wait_until("the mail", lambda: mails(app))
        self.assertEqual(subjects(app), ["o2"])
        self.expect_answer(app.ask("reactors", "waiting", "order_mail"), "no key waits")

    def test_after_a_restore_an_operator_says_where_it_goes_on(self):
        app = self.shop()
        place(app, "o1")
        wallet_app.wait_until("the mail", lambda: mails(app))
        self.assertEqual(app.stop(), 0)
        backups = wallet_app.WORK / "backups-of-reactors"
        self.expect_done(app.run("backup", str(backups)))
        restored = shop_app.ShopApp("restored-reactors")
        self.addCleanup(restored.close_channel)
        self.addCleanup(lambda: restored.process and restored.kill())
        self.expect_done(restored.run("restore", str(backups)))
        restored.start()
        place(restored, "o2")
        self.expect_answer(restored.ask("reactors"), "stopped", "`reactors reset`")
        self.expect_refused(restored.ask("reactors", "resume", "order_mail"), "`reactors reset`")
        reset = ["reactors", "reset", "order_mail", "--reason", "restored"]
        self.expect_answer(restored.ask(*reset, "--as-it-was"), "order_mail: goes on where it was")
        wallet_app.wait_until("the mail", lambda: mails(restored))
        self.assertEqual(subjects(restored), ["o2"])  # that of o1 was sent before the backup
        self.expect_answer(restored.ask(*reset, "--to-head"), "order_mail: goes on at the head of the log")
        self.expect_answer(restored.ask("reactors"), "running")


if __name__ == "__main__":
    wallet_app.main()
