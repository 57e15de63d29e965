"""A process over real gRPC, disks and signals: every order ends, whatever is killed, and what operators see and do."""

import os
import random
import threading

import grpc
import wallet_app
from wallet_app import client

PROTOS = wallet_app.ROOT / "tests/unit/process"
client.INCLUDES.append(PROTOS)
client.PROTOS[:] = ["fulfil/v1/fulfil.proto", "fulfil/v1/fulfil_api.proto"]
SERVICES = ["event_store", "process_service", "process_step", "reactor_service", "reactor_checkpoint", "group_checkpoint"]
client.generate_stubs(wallet_app.WORK / "stubs", more=[f"everfold/v1/{name}.proto" for name in SERVICES])

from everfold.v1 import event_store_pb2 as store  # noqa: E402
from everfold.v1 import event_store_pb2_grpc as store_services  # noqa: E402
from everfold.v1 import process_service_pb2 as processes  # noqa: E402
from everfold.v1 import process_service_pb2_grpc as process_services  # noqa: E402
from fulfil.v1 import fulfil_api_pb2 as api  # noqa: E402
from fulfil.v1 import fulfil_api_pb2_grpc as services  # noqa: E402
from fulfil.v1 import fulfil_pb2 as domain  # noqa: E402

SEED = int(os.environ.get("EVERFOLD_SEED", random.SystemRandom().randrange(1 << 32)))


class FulfilmentApp(wallet_app.WalletApp):
    program = os.environ["FULFILMENT_APP"]

    def __init__(self, name):
        super().__init__(name)
        self.books = wallet_app.WORK / f"{name}.books"

    def launch(self):
        os.environ["FULFILMENT_BOOKS"] = str(self.books)
        super().launch()

    def orders(self):
        return services.OrderCommandServiceStub(self.channel)

    def place(self, order, quantity=1):
        command = domain.PlaceOrder(order_id=order, item_id="pen", quantity=quantity)
        self.orders().PlaceOrder(api.PlaceOrderRequest(command=command, request_id=order), timeout=10)

    def cancel(self, order):
        command = domain.CancelOrder(order_id=order, reason="customer")
        self.orders().CancelOrder(api.CancelOrderRequest(command=command), timeout=10)

    def stock(self, quantity):
        command = domain.StockItem(item_id="pen", quantity=quantity)
        services.ItemCommandServiceStub(self.channel).StockItem(
            api.StockItemRequest(command=command, request_id="stock"), timeout=10)

    def info(self):
        stub = process_services.ProcessServiceStub(self.channel)
        return stub.ListProcesses(processes.ListProcessesRequest(), timeout=10).processes[0]

    def open_instances(self):
        """Some of them, with what they have done."""
        stub = process_services.ProcessServiceStub(self.channel)
        some = processes.ListProcessInstancesRequest(process="fulfilment", page_size=3)
        page = stub.ListProcessInstances(some, timeout=10)
        ids = [instance.key.rpartition("/")[2] for instance in page.instances]
        return [stub.GetProcessInstance(processes.GetProcessInstanceRequest(process="fulfilment", id=order), timeout=10)
                for order in ids]

    def events(self, stream):
        stub = store_services.EventStoreServiceStub(self.channel)
        for response in stub.ReadStream(store.ReadStreamRequest(stream=stream), timeout=30):
            yield from response.events


def name_of(event):
    return event.type.rpartition(".")[2]


class Processes(wallet_app.IntegrationTest):
    def setUp(self):
        print(f"seed {SEED} (replay with EVERFOLD_SEED={SEED})", flush=True)
        self.random = random.Random(SEED)

    def app(self):
        app = FulfilmentApp(self.id().rsplit(".", 1)[-1])
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        return app.start()

    def test_every_order_ends_whatever_is_killed(self):
        app = self.app()
        app.stock(1000)
        placed = []
        for round_number in range(6):
            enough = threading.Event()
            wanted = self.random.randrange(1, 80)

            def send(round_number=round_number, wanted=wanted, enough=enough):
                chance = random.Random(SEED + round_number)
                try:
                    for number in range(150):
                        order = f"o{round_number}-{number}"
                        app.place(order)
                        placed.append(order)
                        if chance.randrange(10) == 0:
                            try:
                                app.cancel(order)
                            except grpc.RpcError as error:
                                if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                                    raise
                        if number + 1 >= wanted:
                            enough.set()
                except grpc.RpcError:
                    enough.set()

            sender = threading.Thread(target=send)
            sender.start()
            self.assertTrue(enough.wait(timeout=60))
            app.kill()
            sender.join()
            app.start()
        self.wait_for_the_end(app)
        self.assertEqual(app.info().parked, 0)
        self.check(app, placed)
        self.assertEqual(app.stop(), 0)
        verified = app.run("verify")
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def wait_for_the_end(self, app):
        """A payment that is not known takes minutes, and at most the ten of its activity."""
        def has_ended():
            return app.info().instances == 0 and app.info().lag_events == 0
        try:
            wallet_app.wait_until("every order ends", has_ended, 660)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{app.info()}\n{app.open_instances()}") from error

    def check(self, app, placed):
        reserved, released, stocked, sold = {}, {}, 0, 0
        for event in app.events("item/pen"):
            if name_of(event) == "ItemStocked":
                stocked += domain.ItemStocked.FromString(event.payload).quantity
                continue
            of = domain.ItemReserved if name_of(event) == "ItemReserved" else domain.ItemReleased
            counts = reserved if name_of(event) == "ItemReserved" else released
            order = of.FromString(event.payload).order_id
            counts[order] = counts.get(order, 0) + 1
        completed = set()
        for order in placed:
            story = [name_of(event) for event in app.events(f"order/{order}")]
            self.assertIn(story, (["OrderPlaced", "OrderCompleted"], ["OrderPlaced", "OrderCancelled"]), order)
            if story[1] == "OrderCompleted":
                completed.add(order)
                sold += 1
                self.assertEqual((reserved.get(order, 0), released.get(order, 0)), (1, 0), order)
            else:
                self.assertLessEqual(reserved.get(order, 0), 1, order)
                self.assertEqual(reserved.get(order, 0), released.get(order, 0), order)
        lines = [line.split() for line in app.books.read_text().splitlines()]
        self.assertEqual(len({key for key, _ in lines}), len(lines), "the provider has a key twice")
        paid = [order for _, order in lines]
        self.assertEqual(len(set(paid)), len(paid), "an order was paid twice")
        self.assertLessEqual(completed, set(paid), "an order was completed without a payment")
        print(f"{len(placed)} orders, {sold} completed, {len(paid)} payments authorized", flush=True)

    def test_operators_see_and_leave_out_what_is_parked(self):
        app = self.app()
        app.stock(10)
        command = domain.ReserveItem(item_id="pen", order_id="nobody", quantity=1)
        services.ItemCommandServiceStub(app.channel).ReserveItem(api.ReserveItemRequest(command=command), timeout=10)

        def parked():
            return app.ask("processes", "parked", "fulfilment").stdout

        wallet_app.wait_until("a parked instance", lambda: "nobody" in parked())
        self.assertIn("item/pen@2, parked", parked())
        self.assertIn("which has not begun", parked())
        self.assertIn("'$process_fulfilment/nobody': item/pen@2", parked())
        self.assertRegex(app.ask("processes").stdout, r"fulfilment +running ")
        drop = ["processes", "drop", "fulfilment", "$process_fulfilment/nobody", "--reason", "a test"]
        refused = app.ask(*drop, "--input", "item/pen@3")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("look at it, and ask again", refused.stderr)
        dropped = app.ask(*drop, "--input", "item/pen@2")
        self.assertEqual(dropped.returncode, 0, dropped.stderr)
        self.assertEqual(parked(), "no instance waits\n")
        for action, text in (("pause", "paused"), ("resume", "resumed")):
            answer = app.ask("processes", action, "fulfilment")
            self.assertEqual(answer.stdout, f"fulfilment: {text}\n", answer.stderr)
        unknown = app.ask("processes", "pause", "billing")
        self.assertIn('there is no process "billing"; there is: fulfilment', unknown.stderr)

    def test_shows_an_instance(self):
        app = self.app()
        app.place("o1")
        wallet_app.wait_until("the order ends", lambda: app.info().instances == 0 and app.info().lag_events == 0)
        shown = app.ask("processes", "show", "fulfilment", "o1")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for text in ('"order_id":"o1"', "ended", "event fulfil.v1.OrderPlaced of order/o1 version 1",
                     "sends fulfil.v1.ReserveItem", "sets timer payment",
                     "refusal of command 1/0: rejected: fulfil.v1.OutOfStock", "sends fulfil.v1.CancelOrder"):
            self.assertIn(text, shown.stdout)
        self.assertIn("has no instance", app.ask("processes", "show", "fulfilment", "o2").stderr)

    def test_shows_why_an_instance_does_not_get_on(self):
        app = self.app()
        app.stock(1)
        app.place("down")

        def shown():
            return app.ask("processes", "show", "fulfilment", "down").stdout

        wallet_app.wait_until("an attempt", lambda: "in vain" in shown())
        self.assertRegex(shown(), r"running: authorize_payment until .*, tried 1 time, in vain: the line is down")
        self.assertIn("fulfilment: activities are tried again: authorize_payment: the line is down", app.ask("processes").stdout)
        self.assertIn('sends fulfil.v1.ReserveItem {"item_id":"pen","order_id":"down"', shown())
        self.assertRegex(shown(), r'runs authorize_payment \{"order_id":"down"')

    def test_shows_what_of_an_instance_is_parked(self):
        app = self.app()
        app.stock(1)
        self.assertEqual(app.ask("processes", "retry", "fulfilment", "--all").stdout, "nothing waits\n")
        app.place("odd")

        def shown():
            return app.ask("processes", "show", "fulfilment", "odd").stdout

        wallet_app.wait_until("it is parked", lambda: "parked" in shown())
        self.assertIn("parked: activity 2/0: ", shown())
        self.assertIn("an authorization without an id", shown())


if __name__ == "__main__":
    wallet_app.main()
