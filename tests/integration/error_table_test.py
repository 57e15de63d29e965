"""The table of docs/reference/errors.md, row by row, as a program in another language meets it: what callers bring about
by themselves. error_trouble_test.py has what happens to a server."""

import re

import grpc
import shop_app
import wallet_app
from wallet_app import api, domain

from error_details import Code, ErrorTest, execute_request, status_of
from everfold.v1 import command_service_pb2 as commands
from everfold.v1 import command_service_pb2_grpc as command_services
from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services


class Refusals(ErrorTest):
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
            text="wallet.v1.Deposit: wallet_id must have 1 to 200 bytes, it has 0, and 1 more",
            kinds=["BadRequest"],
            metadata={"command": "wallet.v1.Deposit", "violations": "2"},
        )
        violations = [(v.field, v.reason, v.description) for v in details["BadRequest"].field_violations]
        self.assertEqual(
            violations,
            [
                ("command.wallet_id", "ID", "must have 1 to 200 bytes, it has 0 (id)"),
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
        # A deadline that has passed when the call begins: one of this very moment may still see an answer.
        error = self.error_of(lambda: self.deposit(self.server, 1, timeout=-1))
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
            wallet_app.WORK / "stubs", more=["everfold/v1/money.proto", "shop/v1/payment.proto", "shop/v1/order.proto"]
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


if __name__ == "__main__":
    wallet_app.main()
