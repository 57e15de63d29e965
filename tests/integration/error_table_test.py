"""The table of docs/reference/errors.md, row by row, as a program in another language meets it."""

import contextlib
import os
import queue
import random
import re
import resource
import signal
import subprocess
import threading

import grpc
import shop_app
import wallet_app
from wallet_app import api, domain, services

from error_details import status_of, unpacked
from everfold.v1 import command_service_pb2 as commands
from everfold.v1 import command_service_pb2_grpc as command_services
from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services
from google.protobuf import any_pb2

Code = grpc.StatusCode
TROUBLED_WALLET = os.environ["TROUBLED_WALLET"]
NOISE = random.Random(1).randbytes(500_000)
MAX_COMMANDS = 16  # of the troubled wallet
MAX_QUERIES = 8  # likewise


def execute_request(message, **more):
    packed = any_pb2.Any()
    packed.Pack(message)
    return commands.ExecuteRequest(command=packed, **more)


def forbid_writes(process):
    """No file grows, or is written, beyond its first byte: EFBIG, as from a disk that fails. SIGXFSZ is ignored."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


class TroubledWallet(wallet_app.WalletApp):
    """Gets into trouble when it is told to (troubled_wallet.cc)."""

    def launch(self):
        with open(self.log, "ab") as log:
            command = [TROUBLED_WALLET, str(self.data), self.address]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=log, text=True, bufsize=1, restore_signals=False
            )

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.expect("done")

    def expect(self, line):
        answer = self.process.stdout.readline().strip()
        assert answer == line, f"{answer!r} in place of {line!r}:\n{self.log.read_text()}"

    def finish(self):
        """Ends in order."""
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process = None
        return code


class QuietWallet(wallet_app.WalletApp):
    """Survives a limit on the size of files until it finds its store broken; its log would not."""

    def launch(self):
        command = [self.program, "serve", "--data", str(self.data), "--listen", self.address, *self.serve_options]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=null, stderr=null, restore_signals=False)


class ErrorTest(wallet_app.IntegrationTest):
    def run_app(self, app):
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        return app.start()

    def open(self, app, wallet="w1", **request):
        return app.commands().OpenWallet(
            api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=wallet), **request)
        ).receipt

    def deposit(self, app, amount, wallet="w1", timeout=None, **request):
        command = domain.Deposit(wallet_id=wallet, amount_minor=amount)
        return app.commands().Deposit(api.DepositRequest(command=command, **request), timeout=timeout).receipt

    def withdraw(self, app, amount, wallet="w1", **request):
        command = domain.Withdraw(wallet_id=wallet, amount_minor=amount)
        return app.commands().Withdraw(api.WithdrawRequest(command=command, **request)).receipt

    def row(self, app, wallet="w1", token="", timeout=None):
        query = api.GetWalletBalanceRequest(wallet_id=wallet, consistency_token=token)
        return app.queries().GetWalletBalance(query, timeout=timeout).wallet_balance

    def error_of(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        return raised.exception

    def expect_error(self, code, reason, call, text="", kinds=(), metadata=None):
        """The whole error: its code, its text, and exactly the details that are named here beside ErrorInfo."""
        error = self.error_of(call)
        self.assertEqual(error.code(), code, error.details())
        status = status_of(error)
        self.assertIsNotNone(status, error.details())
        self.assertEqual((status.code, status.message), (code.value[0], error.details()))
        return self.expect_status(status, code, reason, text, kinds, metadata)

    def expect_status(self, status, code, reason, text="", kinds=(), metadata=None):
        self.assertEqual(status.code, code.value[0], status.message)
        self.assertIn(text, status.message)
        details = unpacked(status)
        self.assertEqual(len(details), len(status.details), "all are of known types")
        self.assertEqual(sorted(details), sorted(["ErrorInfo", *kinds]), status.message)
        info = details["ErrorInfo"]
        self.assertEqual((info.reason, info.domain), (reason, "everfold.dev"))
        for name, value in (metadata or {}).items():
            self.assertEqual(info.metadata[name], value)
        if "RetryInfo" in details:
            delay = details["RetryInfo"].retry_delay
            self.assertGreater(delay.ToTimedelta().total_seconds(), 0)
        return details


class Refusals(ErrorTest):
    """What callers bring about by themselves."""

    def setUp(self):
        self.server = self.app()
        self.store = store_services.EventStoreServiceStub(self.server.channel)
        self.any = command_services.CommandServiceStub(self.server.channel)

    def append(self, stream, type="demo.v1.Happened", tags=(), payload=b"x", **request):
        event = store.NewEvent(type=type, payload=payload, tags=list(tags))
        append = store.StreamAppend(stream=stream, events=[event])
        return self.store.Append(store.AppendRequest(streams=[append], **request))

    def test_field_rules_with_all_violations_at_once(self):
        details = self.expect_error(
            Code.INVALID_ARGUMENT,
            "COMMAND_INVALID",
            lambda: self.deposit(self.server, -5, wallet=""),
            text="wallet.v1.Deposit: wallet_id an id must have 1 to 200 bytes, it has 0, and 1 more",
            kinds=["BadRequest"],
            metadata={"command": "wallet.v1.Deposit", "violations": "2"},
        )
        violations = [(v.field, v.reason, v.description) for v in details["BadRequest"].field_violations]
        self.assertEqual(
            violations,
            [
                ("command.wallet_id", "ID", "an id must have 1 to 200 bytes, it has 0 (id)"),
                ("command.amount_minor", "INT64_GT", "must be greater than 0, is -5 (int64.gt)"),
            ],
        )
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "COMMAND_INVALID",
            lambda: self.server.commands().Deposit(api.DepositRequest()),
            text="wallet.v1.Deposit: command must be set",
            kinds=["BadRequest"],
        )

    def test_a_request_that_is_malformed(self):
        command = api.DepositRequest(command=domain.Deposit(wallet_id="w1", amount_minor=1), request_id="a")
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "REQUEST_INVALID",
            lambda: self.server.commands().Deposit(command, metadata=[("idempotency-key", "b")]),
            text="request_id and the header idempotency-key differ",
            metadata={"request_id": "a", "idempotency_key": "b"},
        )
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "REQUEST_INVALID",
            lambda: self.deposit(self.server, 1, request_id="a\nb"),
            text="request_id",
        )

    def test_a_limit_with_its_name_and_the_value(self):
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "LIMIT_EXCEEDED",
            lambda: self.deposit(self.server, 1, request_id="x" * 201),
            text="request_id must have 1 to 200 bytes, it has 201",
        )
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "LIMIT_EXCEEDED",
            lambda: self.append("cart/c1", payload=b"x" * ((1 << 20) + 1)),
            text="1048576",
        )

    def test_a_request_id_of_another_command(self):
        self.open(self.server)
        self.deposit(self.server, 100, request_id="r1")
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_REUSED",
            lambda: self.deposit(self.server, 101, request_id="r1"),
            text="r1",
        )

    def test_a_business_rule(self):
        self.open(self.server)
        self.deposit(self.server, 100)
        details = self.expect_error(
            Code.FAILED_PRECONDITION,
            "COMMAND_REJECTED",
            lambda: self.withdraw(self.server, 120),
            text="wallet/w1: InsufficientFunds {missing_minor: 20}",
            kinds=["PreconditionFailure", "InsufficientFunds"],
            metadata={"rejection": "wallet.v1.InsufficientFunds"},
        )
        self.assertEqual(details["InsufficientFunds"].missing_minor, 20)
        violations = [(v.type, v.subject, v.description) for v in details["PreconditionFailure"].violations]
        self.assertEqual(
            violations, [("wallet.v1.InsufficientFunds", "wallet/w1", "InsufficientFunds {missing_minor: 20}")]
        )

    def test_a_stream_that_is_there_or_is_not(self):
        self.open(self.server)
        exists = self.expect_error(
            Code.ALREADY_EXISTS,
            "STREAM_EXISTS",
            lambda: self.open(self.server),
            text="wallet/w1 exists already, at version 1",
            kinds=["ResourceInfo"],
        )["ResourceInfo"]
        self.assertEqual((exists.resource_type, exists.resource_name), ("wallet", "wallet/w1"))
        missing = self.expect_error(
            Code.NOT_FOUND,
            "STREAM_NOT_FOUND",
            lambda: self.deposit(self.server, 1, wallet="w2"),
            text="wallet/w2 does not exist",
            kinds=["ResourceInfo"],
        )["ResourceInfo"]
        self.assertEqual((missing.resource_type, missing.resource_name), ("wallet", "wallet/w2"))

    def test_another_version_than_expected(self):
        self.open(self.server)
        self.deposit(self.server, 1)
        self.expect_error(
            Code.ABORTED,
            "VERSION_CONFLICT",
            lambda: self.deposit(self.server, 1, expected_version=1),
            text="wallet/w1: expected version 1, it is at version 2",
            metadata={"stream": "wallet/w1", "expected_version": "1", "actual_version": "2"},
        )

    def test_a_condition_that_does_not_hold(self):
        self.append("seat/1", tags=["show:7"])
        query = store.EventQuery(items=[store.QueryItem(tags=["show:7"])])
        details = self.expect_error(
            Code.ABORTED,
            "CONDITION_FAILED",
            lambda: self.append("seat/2", tags=["show:7"], condition=store.AppendCondition(fail_if_events_match=query)),
            metadata={"after": "0", "sequence": "1", "offset": "1"},
        )
        self.assertRegex(details["ErrorInfo"].metadata["partition"], r"^\d+$")

    def test_what_is_not_the_callers_to_append(self):
        self.expect_error(Code.PERMISSION_DENIED, "RESERVED_NAME", lambda: self.append("$ops/o1"), text="$")
        self.expect_error(
            Code.PERMISSION_DENIED, "AGGREGATE_REGISTERED", lambda: self.append("wallet/w1"), text="wallet"
        )

    def test_what_no_aggregate_takes(self):
        self.expect_error(
            Code.UNIMPLEMENTED,
            "REQUEST_INVALID",
            lambda: self.any.Execute(execute_request(domain.WalletOpened())),
            text="no aggregate of this application takes wallet.v1.WalletOpened",
        )
        self.expect_error(
            Code.UNIMPLEMENTED,
            "REQUEST_INVALID",
            lambda: self.any.GetState(commands.GetStateRequest(stream="basket/b1")),
            text='this application has no aggregate "basket"',
        )

    def test_a_version_that_there_is_not_yet(self):
        self.open(self.server)
        self.expect_error(
            Code.OUT_OF_RANGE,
            "BEYOND_HEAD",
            lambda: self.any.GetState(commands.GetStateRequest(stream="wallet/w1", version=9)),
            text="wallet/w1: version 9 is asked for, it is at version 1",
        )

    def test_a_deadline_that_passes_at_the_client(self):
        self.open(self.server)
        error = self.error_of(lambda: self.deposit(self.server, 1, timeout=0))
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.assertIsNone(status_of(error), "the client itself has given up")

    def test_queries(self):
        token = self.open(self.server).consistency_token
        self.assertEqual(self.row(self.server, token=token).balance_minor, 0)
        missing = self.expect_error(
            Code.NOT_FOUND,
            "ROW_NOT_FOUND",
            lambda: self.row(self.server, wallet="w2"),
            text="there is no wallet.v1.WalletBalance with the key w2",
            kinds=["ResourceInfo"],
        )["ResourceInfo"]
        self.assertEqual((missing.resource_type, missing.resource_name), ("wallet.v1.WalletBalance", "w2"))
        self.expect_error(
            Code.INVALID_ARGUMENT, "REQUEST_INVALID", lambda: self.row(self.server, token="none"), text="token"
        )
        lists = [
            (api.ListWalletBalancesRequest(page_size=-1), "page_size is -1"),
            (api.ListWalletBalancesRequest(page_token="none"), "page_token"),
        ]
        for request, text in lists:
            self.expect_error(
                Code.INVALID_ARGUMENT,
                "REQUEST_INVALID",
                lambda request=request: self.server.queries().ListWalletBalances(request),
                text=text,
            )
        other = self.app("other_history")
        self.expect_error(
            Code.FAILED_PRECONDITION,
            "OTHER_HISTORY",
            lambda: self.row(other, token=token),
            text="another history",
        )


class RawAppends(ErrorTest):
    def test_an_event_that_the_application_does_not_know(self):
        app = wallet_app.WalletApp("raw_appends")
        app.serve_options = ["--allow-raw-appends"]
        self.run_app(app)
        stub = store_services.EventStoreServiceStub(app.channel)
        append = store.StreamAppend(stream="wallet/w1", events=[store.NewEvent(type="wallet.v1.Forged")])
        self.expect_error(
            Code.INVALID_ARGUMENT,
            "UNKNOWN_TYPE",
            lambda: stub.Append(store.AppendRequest(streams=[append])),
            text="wallet.v1.Forged",
            metadata={"aggregate": "wallet", "type": "wallet.v1.Forged"},
        )


class OtherBinaries(ErrorTest):
    def test_a_stream_with_an_event_of_a_newer_binary(self):
        app = self.app("newer")
        self.open(app)
        self.deposit(app, 5)
        self.assertEqual(app.stop(), 0)
        file = wallet_app.WORK / "newer.jsonl"
        self.expect_done(app.run("export", str(file)))
        lines = file.read_text().replace("wallet.v1.Deposited", "wallet.v1.Doubled")
        file.write_text(re.sub(r'"fingerprint":"[^"]*",?', "", lines))
        older = wallet_app.WalletApp("older")
        self.expect_done(older.run("import", str(file)))
        self.run_app(older)
        self.expect_error(
            Code.FAILED_PRECONDITION,
            "UNKNOWN_TYPE",
            lambda: self.deposit(older, 1),
            text="holds an event wallet.v1.Doubled, which this binary does not know",
            metadata={"type": "wallet.v1.Doubled"},
        )
        self.open(older, wallet="w2")
        self.assertEqual(self.deposit(older, 1, wallet="w2").version, 2, "other streams go on")


class ManyRules(shop_app.ShopTest, ErrorTest):
    def test_all_violations_of_a_command_with_many_rules(self):
        wallet_app.client.INCLUDES.append(wallet_app.ROOT / "sample-apps/shop/proto")
        wallet_app.client.generate_stubs(
            wallet_app.WORK / "stubs", more=["everfold/v1/money.proto", "shop/v1/order.proto"]
        )
        from shop.v1 import order_pb2 as shop

        app = self.shop()
        stub = command_services.CommandServiceStub(app.channel)
        item = shop.OrderItem(seller_id="s", quantity=0)
        order = shop.PlaceOrder(order_id="o1", currency="brl", items=[item, item], origin=7)
        details = self.expect_error(
            Code.INVALID_ARGUMENT,
            "COMMAND_INVALID",
            lambda: stub.Execute(execute_request(order)),
            text=", and 8 more",
            kinds=["BadRequest"],
            metadata={"violations": "9"},
        )
        fields = [(v.field, v.reason) for v in details["BadRequest"].field_violations]
        of_an_item = [("product_id", "REQUIRED"), ("price", "REQUIRED"), ("quantity", "INT32_GTE_LTE")]
        of_items = [(f"command.items[{i}].{field}", rule) for i in range(2) for field, rule in of_an_item]
        self.assertEqual(
            fields,
            [
                ("command.customer_id", "REQUIRED"),
                ("command.currency", "STRING_PATTERN"),
                *of_items,
                ("command.origin", "ENUM_DEFINED_ONLY"),
            ],
        )


class Troubles(ErrorTest):
    """What happens to a server that does its best."""

    def setUp(self):
        self.server = self.run_app(TroubledWallet(self.id().rsplit(".", 1)[-1]))
        self.addCleanup(self.close_pipes, self.server.process)
        self.any = command_services.CommandServiceStub(self.server.channel)

    def close_pipes(self, process):
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def hold_a_decision(self):
        """A call whose decision waits, and with it all that comes after it to the same wallet."""
        self.server.tell("hold decisions")
        command = domain.Deposit(wallet_id="w1", amount_minor=1)
        held = self.server.commands().Deposit.future(api.DepositRequest(command=command, request_id="held"))
        self.server.expect("held")
        return held

    def answers_to(self, messages):
        """Sends them on one call. Returns a queue of the answers, as they come; the call ends with the test."""
        items = [
            commands.ExecuteManyRequest.Item(id=id, command=execute_request(message))
            for id, message in enumerate(messages, 1)
        ]
        requests = queue.Queue()
        requests.put(commands.ExecuteManyRequest(items=items))
        call = self.any.ExecuteMany(iter(requests.get, None))
        answers = queue.Queue()

        def read():
            with contextlib.suppress(grpc.RpcError):
                for response in call:
                    for item in response.items:
                        answers.put(item)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(requests.put, None)
        return answers

    def test_a_decider_that_throws(self):
        self.open(self.server)
        self.expect_error(
            Code.INTERNAL,
            "DECIDER_FAILED",
            lambda: self.withdraw(self.server, 13),
            text="Decide(wallet, wallet.v1.Withdraw) threw: thirteen",
        )
        self.assertEqual(self.deposit(self.server, 1).version, 2, "nothing was changed")

    def test_a_business_rule_with_a_code_of_its_own(self):
        self.open(self.server)
        details = self.expect_error(
            Code.OUT_OF_RANGE,
            "COMMAND_REJECTED",
            lambda: self.withdraw(self.server, 15),
            text="wallet/w1: LimitExceeded {room_minor: 14}",
            kinds=["PreconditionFailure", "LimitExceeded"],
        )
        self.assertEqual(details["LimitExceeded"].room_minor, 14)

    def test_more_commands_than_there_is_room_for(self):
        self.open(self.server)
        held = self.hold_a_decision()
        deposit = domain.Deposit(wallet_id="w1", amount_minor=1)
        answers = self.answers_to([deposit] * MAX_COMMANDS)
        refused = answers.get(timeout=30)
        self.assertEqual(refused.id, MAX_COMMANDS, "the others wait")
        text, metadata = "commands under way: 16, the limit", {"limit": "16"}
        self.expect_status(
            refused.error, Code.RESOURCE_EXHAUSTED, "OVERLOADED", text, kinds=["RetryInfo"], metadata=metadata
        )
        self.expect_error(
            Code.RESOURCE_EXHAUSTED,
            "OVERLOADED",
            lambda: self.deposit(self.server, 1),
            text=text,
            kinds=["RetryInfo"],
            metadata=metadata,
        )
        self.server.tell("let go")
        self.assertEqual(held.result(timeout=30).receipt.version, 2)
        # Of those that waited, too many were for one wallet.
        later = [answers.get(timeout=30) for _ in range(MAX_COMMANDS - 1)]
        self.assertEqual(sorted(item.receipt.version for item in later if item.HasField("receipt")), [3, 4, 5])
        for item in later:
            if item.HasField("receipt"):
                continue
            self.expect_status(
                item.error,
                Code.RESOURCE_EXHAUSTED,
                "OVERLOADED",
                "commands that wait for wallet/w1: 3, the limit",
                kinds=["RetryInfo"],
                metadata={"limit": "3"},
            )
        self.assertEqual(self.deposit(self.server, 1).version, 6)

    def test_a_deadline_that_passes_before_the_decision(self):
        self.open(self.server)
        held = self.hold_a_decision()
        error = self.error_of(lambda: self.deposit(self.server, 5, timeout=0.2, request_id="late"))
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.assertIsNone(status_of(error), "the client itself has given up")
        self.server.tell("let go")
        self.assertEqual(held.result(timeout=30).receipt.version, 2)
        again = self.deposit(self.server, 5, request_id="late")
        self.assertEqual((again.version, again.repeated), (3, False), "it was never decided")

    def test_a_deadline_that_passes_after_the_decision(self):
        self.open(self.server)
        self.server.tell("hold decisions")
        error = self.error_of(lambda: self.deposit(self.server, 5, timeout=0.2, request_id="late"))
        self.server.expect("held")
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.server.tell("let go")
        again = self.deposit(self.server, 5, request_id="late")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_full_disk(self):
        self.open(self.server)
        self.server.tell("fill disk")
        for call in (
            lambda: self.deposit(self.server, 1, request_id="r1"),
            lambda: self.open(self.server, wallet="w2"),
        ):
            self.expect_error(
                Code.RESOURCE_EXHAUSTED,
                "DISK_FULL",
                call,
                text=f"0 bytes are free for the store in {self.server.data}/log, 268435456 are to stay free",
                kinds=["RetryInfo"],
                metadata={"free_bytes": "0", "reserved_bytes": "268435456"},
            )
        self.server.tell("make room")
        receipt = self.deposit(self.server, 1, request_id="r1")
        self.assertEqual((receipt.version, receipt.repeated), (2, False), "nothing was changed")

    def test_an_outcome_that_nobody_knows(self):
        self.open(self.server)
        forbid_writes(self.server.process)
        self.expect_error(
            Code.UNKNOWN,
            "OUTCOME_UNKNOWN",
            lambda: self.deposit(self.server, 5, request_id="r1"),
            text="the append may be durable or not; repeat it with the same request_id after a restart",
            metadata={"request_id": "r1"},
        )
        for call in (lambda: self.deposit(self.server, 5, request_id="r1"), lambda: self.open(self.server, "w2")):
            self.expect_error(
                Code.UNAVAILABLE, "STORE_CLOSED", call, text="the store is closed", kinds=["RetryInfo"]
            )
        self.server.kill()
        self.server.start()
        self.addCleanup(self.close_pipes, self.server.process)
        self.deposit(self.server, 5, request_id="r1")
        again = self.deposit(self.server, 5, request_id="r1")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_server_that_is_closing(self):
        self.open(self.server)
        self.server.tell("close")
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: self.deposit(self.server, 1),
            text="no new commands are taken: shutting down",
            kinds=["RetryInfo"],
        )
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: self.row(self.server),
            text="no new queries are taken",
            kinds=["RetryInfo"],
        )
        stub = store_services.EventStoreServiceStub(self.server.channel)
        append = store.StreamAppend(stream="cart/c1", events=[store.NewEvent(type="demo.v1.Happened")])
        self.expect_error(
            Code.UNAVAILABLE,
            "STORE_CLOSED",
            lambda: stub.Append(store.AppendRequest(streams=[append])),
            text="the store is closed: it is shutting down",
            kinds=["RetryInfo"],
        )
        self.assertEqual(self.server.finish(), 0)

    def test_a_read_model_that_is_behind(self):
        self.open(self.server)
        self.server.tell("hold projection")
        self.deposit(self.server, 1)
        self.server.expect("held")
        token = self.deposit(self.server, 2).consistency_token
        self.expect_error(
            Code.UNAVAILABLE,
            "READ_MODEL_BEHIND",
            lambda: self.row(self.server, token=token),
            text="projection balances has not reached the consistency token; it is 2 events behind",
            kinds=["RetryInfo"],
            metadata={"projection": "balances", "lag_events": "2"},
        )
        error = self.error_of(lambda: self.row(self.server, token=token, timeout=0.2))
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.server.tell("let go")
        self.assertEqual(self.row(self.server, token=token).balance_minor, 3)

    def test_more_queries_than_there_is_room_for(self):
        self.open(self.server)
        self.server.tell("hold projection")
        token = self.deposit(self.server, 1).consistency_token
        self.server.expect("held")
        query = api.GetWalletBalanceRequest(wallet_id="w1", consistency_token=token)
        answers = queue.Queue()
        calls = [self.server.queries().GetWalletBalance.future(query) for _ in range(MAX_QUERIES + 1)]
        for call in calls:
            call.add_done_callback(answers.put)
        self.expect_error(
            Code.RESOURCE_EXHAUSTED,
            "OVERLOADED",
            answers.get(timeout=60).result,
            text="8 queries are under way, the limit",
            kinds=["RetryInfo"],
            metadata={"limit": "8"},
        )
        self.server.tell("let go")
        balances = [answers.get(timeout=60).result().wallet_balance.balance_minor for _ in range(MAX_QUERIES)]
        self.assertEqual(balances, [1] * MAX_QUERIES, "the others are answered")

    def test_a_read_model_that_has_stopped(self):
        self.open(self.server)
        token = self.deposit(self.server, 17).consistency_token
        self.expect_error(
            Code.UNAVAILABLE,
            "READ_MODEL_STOPPED",
            lambda: self.row(self.server, token=token),
            text="projection balances has stopped at an error; its status tells which",
            metadata={"projection": "balances"},
        )
        self.assertEqual(self.deposit(self.server, 1).version, 3, "commands go on")


class Openings(ErrorTest):
    """What a command line prints where a store is not opened."""

    def expect_refused(self, done, code, text):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)

    def test_a_store_that_another_process_has_open(self):
        app = self.app("locked")
        done = app.run("verify")
        self.expect_refused(done, 75, "stop it, or ask it with --address")
        self.assertIn(str(app.process.pid), done.stderr, "it names the process")

    def test_a_store_with_another_number_of_partitions(self):
        app = self.app("partitions")
        self.assertEqual(app.stop(), 0)
        done = app.run("serve", "--listen", app.address, "--partitions", "3")
        self.expect_refused(done, 2, "was created with 16 partitions and cannot be opened with 3")

    def test_a_store_whose_import_failed(self):
        app = self.app("exported")
        self.open(app)
        self.assertEqual(app.stop(), 0)
        file = wallet_app.WORK / "cut.jsonl"
        self.expect_done(app.run("export", str(file)))
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
        imported = wallet_app.WalletApp("imported")
        self.assertNotEqual(imported.run("import", str(file)).returncode, 0)
        self.expect_refused(imported.run("verify"), 2, "an import into it failed, or was interrupted")


class BrokenDisks(ErrorTest):
    """The wallet as it is deployed, on files that fail or are damaged."""

    def test_a_store_that_fails_ends_the_process_and_a_repeat_tells_the_outcome(self):
        app = self.run_app(QuietWallet("failing_disk"))
        self.open(app)
        forbid_writes(app.process)
        self.expect_error(
            Code.UNKNOWN,
            "OUTCOME_UNKNOWN",
            lambda: self.deposit(app, 5, request_id="r1"),
            metadata={"request_id": "r1"},
        )
        self.assertEqual(app.process.wait(timeout=30), 70)
        app.process = None
        self.run_app(app)
        self.deposit(app, 5, request_id="r1")
        again = self.deposit(app, 5, request_id="r1")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_sealed_file_that_is_damaged(self):
        app = wallet_app.WalletApp("damaged")
        app.serve_options = ["--partitions", "1"]
        self.run_app(app)
        self.open(app)
        # The last block of the file is read by whoever opens the store: that of w1 must not be the last.
        large = store.StreamAppend(stream="demo/1", events=[store.NewEvent(type="demo.v1.Large", payload=NOISE)])
        for _ in range(4):
            store_services.EventStoreServiceStub(app.channel).Append(store.AppendRequest(streams=[large]))
        self.expect_done(app.ask("backup", str(wallet_app.WORK / "damaged-backup")))  # seals
        self.assertEqual(app.stop(), 0)
        chunks = [file for file in (app.data / "log" / "sealed").glob("*.sst") if b"EVCH" in file.read_bytes()]
        self.assertEqual(len(chunks), 1)
        self.flip_a_bit(chunks[0])
        app.start()
        self.expect_error(
            Code.DATA_LOSS,
            "DATA_LOSS",
            lambda: self.deposit(app, 1),
            text=str(chunks[0]),
        )
        self.open(app, wallet="w2")
        self.assertEqual(self.deposit(app, 1, wallet="w2").version, 2, "other streams go on")
        self.assertEqual(app.stop(), 0)
        done = app.run("verify")
        self.assertEqual(done.returncode, 74, done.stdout + done.stderr)

    def test_a_damaged_file_that_a_store_cannot_be_without(self):
        app = self.app("damaged_checkpoint")
        self.open(app)
        self.expect_done(app.ask("backup", str(wallet_app.WORK / "checkpoint-backup")))  # seals
        self.assertEqual(app.stop(), 0)
        for file in (app.data / "log" / "sealed").glob("*.sst"):
            self.flip_a_bit(file)
        done = app.run("verify")
        self.assertEqual(done.returncode, 74, done.stdout + done.stderr)
        self.assertIn(str(app.data), done.stderr)
        self.assertIn("see 'restore' and 'salvage'", done.stderr)

    def flip_a_bit(self, file):
        """In its first block, of chunks or of a checkpoint."""
        with open(file, "r+b") as opened:
            opened.seek(50)
            byte = opened.read(1)[0]
            opened.seek(50)
            opened.write(bytes([byte ^ 1]))

    def test_many_on_one_call_when_the_server_stops(self):
        app = self.app("stopping")
        requests = queue.Queue()
        self.addCleanup(requests.put, None)
        call = command_services.CommandServiceStub(app.channel).ExecuteMany(iter(requests.get, None))
        item = commands.ExecuteManyRequest.Item(id=1, command=execute_request(domain.OpenWallet(wallet_id="w1")))
        requests.put(commands.ExecuteManyRequest(items=[item]))
        self.assertEqual(next(call).items[0].receipt.version, 1)
        app.process.send_signal(signal.SIGTERM)
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: next(call),
            text="the server is shutting down; what was answered is durable",
            kinds=["RetryInfo"],
        )
        self.assertEqual(app.process.wait(timeout=30), 0)
        app.process = None


if __name__ == "__main__":
    wallet_app.main()
