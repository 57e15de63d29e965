"""Commands to all aggregates by one service, as a program in another language sends them."""

import queue
import threading

import grpc
import wallet_app
from wallet_app import domain

from error_details import status_of
from everfold.v1 import command_service_pb2 as commands
from everfold.v1 import command_service_pb2_grpc as command_services
from google.protobuf import any_pb2, timestamp_pb2
from google.rpc import error_details_pb2


def packed(message):
    result = any_pb2.Any()
    result.Pack(message)
    return result


def request(message, **more):
    return commands.ExecuteRequest(command=packed(message), **more)


def find(details, kind):
    for detail in details:
        found = kind()
        if detail.Unpack(found):
            return found
    return None


class Conversation:
    """A call of ExecuteMany: what is sent, and what comes back by id."""

    def __init__(self, stub):
        self.requests = queue.Queue()
        self.answers = {}
        self.error = None
        self.call = stub.ExecuteMany(iter(self.requests.get, None))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for response in self.call:
                for item in response.items:
                    self.answers[item.id] = item
        except grpc.RpcError as error:
            self.error = error

    def send(self, items):
        self.requests.put(commands.ExecuteManyRequest(
            items=[commands.ExecuteManyRequest.Item(id=id, command=command) for id, command in items]))

    def end(self):
        self.requests.put(None)
        self.thread.join(60)
        assert not self.thread.is_alive(), "the call does not end"


class CommandService(wallet_app.IntegrationTest):
    def setUp(self):
        self.server = self.app()
        self.stub = command_services.CommandServiceStub(self.server.channel)

    def execute(self, message, **more):
        return self.stub.Execute(request(message, **more)).receipt

    def error_of(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        return raised.exception

    def test_executes_any_command(self):
        opened = self.execute(domain.OpenWallet(wallet_id="w1"))
        self.assertEqual((opened.stream, opened.version), ("wallet/w1", 1))
        deposit = domain.Deposit(wallet_id="w1", amount_minor=5)
        first = self.execute(deposit, request_id="r1")
        again = self.execute(deposit, request_id="r1")
        self.assertEqual((again.version, again.sequence, again.repeated), (2, first.sequence, True))
        error = self.error_of(lambda: self.execute(deposit, expected_version=1))
        self.assertEqual(error.code(), grpc.StatusCode.ABORTED)

    def test_tells_what_is_wrong(self):
        self.execute(domain.OpenWallet(wallet_id="w1"))
        rejected = self.error_of(lambda: self.execute(domain.Withdraw(wallet_id="w1", amount_minor=5)))
        self.assertEqual(rejected.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(find(status_of(rejected).details, domain.InsufficientFunds).missing_minor, 5)
        broken = self.error_of(lambda: self.execute(domain.Deposit(wallet_id="w1", amount_minor=0)))
        self.assertEqual(find(status_of(broken).details, error_details_pb2.BadRequest).field_violations[0].field,
                         "command.amount_minor")
        nobodys = self.error_of(lambda: self.execute(domain.WalletOpened()))
        self.assertEqual(nobodys.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn("no aggregate of this application takes wallet.v1.WalletOpened", nobodys.details())
        empty = self.error_of(lambda: self.stub.Execute(commands.ExecuteRequest()))
        self.assertEqual(find(status_of(empty).details, error_details_pb2.BadRequest).field_violations[0].field, "command")
        garbage = any_pb2.Any(type_url="type.googleapis.com/wallet.v1.Deposit", value=b"\xff\xff")
        unreadable = self.error_of(lambda: self.stub.Execute(commands.ExecuteRequest(command=garbage)))
        self.assertEqual(unreadable.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("do not parse as wallet.v1.Deposit", unreadable.details())

    def test_many_on_one_call(self):
        call = Conversation(self.stub)
        call.send([(1, request(domain.OpenWallet(wallet_id="w1"), request_id="open"))])
        for batch in range(20):
            call.send([(2 + 50 * batch + i, request(domain.Deposit(wallet_id="w1", amount_minor=1)))
                       for i in range(50)])
        call.send([(5000, request(domain.Withdraw(wallet_id="w1", amount_minor=1001))),
                   (5001, request(domain.Deposit(wallet_id="nobody", amount_minor=1))),
                   (5002, request(domain.OpenWallet(wallet_id="w1"), request_id="open"))])
        call.end()
        self.assertIsNone(call.error)
        self.assertEqual(len(call.answers), 1004)
        self.assertEqual([call.answers[id].receipt.version for id in range(1, 1002)], list(range(1, 1002)),
                         "in the order in which they were sent")
        rejected = call.answers[5000].error
        self.assertEqual(rejected.code, grpc.StatusCode.FAILED_PRECONDITION.value[0])
        self.assertEqual(find(rejected.details, domain.InsufficientFunds).missing_minor, 1)
        self.assertEqual(call.answers[5001].error.code, grpc.StatusCode.NOT_FOUND.value[0])
        self.assertTrue(call.answers[5002].receipt.repeated)

    def test_too_many_in_one_message(self):
        call = Conversation(self.stub)
        call.send([(1, request(domain.OpenWallet(wallet_id="w1")))])
        call.requests.put(commands.ExecuteManyRequest(items=[commands.ExecuteManyRequest.Item()] * 5000))
        call.end()
        self.assertEqual(call.error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("at most 4096, there are 5000", call.error.details())
        self.assertEqual(call.answers[1].receipt.version, 1)

    def test_a_caller_who_goes_leaves_what_was_taken(self):
        call = Conversation(self.stub)
        call.send([(1, request(domain.OpenWallet(wallet_id="w1")))])
        wallet_app.wait_until("the first answer", lambda: 1 in call.answers)
        call.call.cancel()
        call.end()
        self.assertEqual(call.error.code(), grpc.StatusCode.CANCELLED)
        self.assertEqual(self.execute(domain.Deposit(wallet_id="w1", amount_minor=1)).version, 2)

    def test_a_call_under_way_does_not_hold_up_the_end(self):
        call = Conversation(self.stub)
        call.send([(1, request(domain.OpenWallet(wallet_id="w1")))])
        wallet_app.wait_until("the first answer", lambda: 1 in call.answers)
        self.server.stop()
        call.thread.join(30)
        self.assertEqual(call.error.code(), grpc.StatusCode.UNAVAILABLE)
        call.requests.put(None)

    def test_the_state_as_it_is_and_was(self):
        self.execute(domain.OpenWallet(wallet_id="w1"))
        first = self.execute(domain.Deposit(wallet_id="w1", amount_minor=5))
        self.execute(domain.Deposit(wallet_id="w1", amount_minor=7))

        def state(**more):
            response = self.stub.GetState(commands.GetStateRequest(stream="wallet/w1", **more))
            wallet = domain.Wallet()
            self.assertTrue(response.state.Unpack(wallet))
            return wallet.balance_minor, response.version

        self.assertEqual(state(), (12, 3))
        self.assertEqual(state(version=2), (5, 2))
        self.assertEqual(state(time=first.recorded_at), (5, 2))

        def error(**more):
            return self.error_of(lambda: self.stub.GetState(commands.GetStateRequest(**more))).code()

        self.assertEqual(error(stream="wallet/nobody"), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(error(stream="wallet/w1", version=9), grpc.StatusCode.OUT_OF_RANGE)
        self.assertEqual(error(stream="wallet/w1", time=timestamp_pb2.Timestamp(seconds=1)), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(error(stream="wallet/w1", time=timestamp_pb2.Timestamp(seconds=2**62)),
                         grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(error(stream="basket/b1"), grpc.StatusCode.UNIMPLEMENTED)
        self.assertEqual(error(stream="wallet"), grpc.StatusCode.INVALID_ARGUMENT)

    def test_over_a_unix_socket(self):
        path = wallet_app.WORK / "commands.sock"
        app = wallet_app.WalletApp("unix_socket")
        app.serve_options = ["--listen", f"unix:{path}"]
        self.addCleanup(lambda: app.process and app.kill())
        app.start()
        with grpc.insecure_channel(f"unix:{path}") as channel:
            stub = command_services.CommandServiceStub(channel)
            receipt = stub.Execute(request(domain.OpenWallet(wallet_id="w1"))).receipt
        app.close_channel()
        self.assertEqual(receipt.version, 1)


if __name__ == "__main__":
    wallet_app.main()
