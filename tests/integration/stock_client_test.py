"""A client in another language, with stock gRPC tooling and only the .proto files."""

import grpc
import wallet_app
from wallet_app import api, domain

from error_details import status_of, unpacked
from everfold.v1 import receipt_pb2  # noqa: F401  registers the receipt's type


class StockClient(wallet_app.IntegrationTest):
    def setUp(self):
        self.server = self.app()
        self.commands = self.server.commands()
        self.queries = self.server.queries()

    def open(self, wallet="w1", **request):
        return self.commands.OpenWallet(
            api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=wallet), **request)
        ).receipt

    def deposit(self, amount, wallet="w1", **request):
        return self.commands.Deposit(
            api.DepositRequest(command=domain.Deposit(wallet_id=wallet, amount_minor=amount), **request)
        ).receipt

    def withdraw(self, amount, wallet="w1", **request):
        return self.commands.Withdraw(
            api.WithdrawRequest(command=domain.Withdraw(wallet_id=wallet, amount_minor=amount), **request)
        ).receipt

    def balance(self, wallet="w1", token=""):
        query = api.GetWalletBalanceRequest(wallet_id=wallet, consistency_token=token)
        return self.queries.GetWalletBalance(query).wallet_balance.balance_minor

    def expect_error(self, code, reason, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        details = unpacked(status_of(raised.exception))
        self.assertEqual(details["ErrorInfo"].reason, reason)
        self.assertEqual(details["ErrorInfo"].domain, "everfold.dev")
        return details

    def test_reads_its_own_writes(self):
        self.assertEqual(self.open().version, 1)
        receipt = self.deposit(10000)
        self.assertEqual((receipt.stream, receipt.version, receipt.repeated), ("wallet/w1", 2, False))
        receipt = self.withdraw(3000)
        self.assertEqual(self.balance(token=receipt.consistency_token), 7000)

    def test_sees_the_typed_rejection_of_an_overdraft(self):
        self.open()
        self.deposit(100)
        details = self.expect_error(
            grpc.StatusCode.FAILED_PRECONDITION, "COMMAND_REJECTED", lambda: self.withdraw(120)
        )
        self.assertEqual(details["InsufficientFunds"].missing_minor, 20)
        violation = details["PreconditionFailure"].violations[0]
        self.assertEqual((violation.type, violation.subject), ("wallet.v1.InsufficientFunds", "wallet/w1"))

    def test_sees_field_and_rule_of_an_invalid_amount(self):
        self.open()
        details = self.expect_error(grpc.StatusCode.INVALID_ARGUMENT, "COMMAND_INVALID", lambda: self.deposit(-5))
        violation = details["BadRequest"].field_violations[0]
        self.assertEqual((violation.field, violation.reason), ("command.amount_minor", "INT64_GT"))
        self.assertIn("-5", violation.description)

    def test_gets_the_first_receipt_for_a_repeated_request_id(self):
        self.open()
        first = self.deposit(100, request_id="r1")
        self.deposit(1)
        again = self.deposit(100, request_id="r1")
        self.assertTrue(again.repeated)
        self.assertEqual(again.version, first.version)
        self.assertEqual(again.sequence, first.sequence)
        self.assertEqual(again.recorded_at, first.recorded_at)
        self.assertEqual(self.balance(token=self.deposit(1).consistency_token), 102)

    def test_is_refused_a_request_id_of_another_request(self):
        self.open()
        self.deposit(100, request_id="r1")
        self.expect_error(
            grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED", lambda: self.deposit(101, request_id="r1")
        )

    def test_is_refused_a_stale_expected_version(self):
        self.open()
        self.deposit(100, expected_version=1)
        details = self.expect_error(
            grpc.StatusCode.ABORTED, "VERSION_CONFLICT", lambda: self.deposit(100, expected_version=1)
        )
        metadata = details["ErrorInfo"].metadata
        self.assertEqual((metadata["expected_version"], metadata["actual_version"]), ("1", "2"))

    def test_cannot_open_twice_nor_use_what_is_not_open(self):
        self.open()
        details = self.expect_error(grpc.StatusCode.ALREADY_EXISTS, "STREAM_EXISTS", self.open)
        self.assertEqual(details["ResourceInfo"].resource_name, "wallet/w1")
        self.expect_error(grpc.StatusCode.NOT_FOUND, "STREAM_NOT_FOUND", lambda: self.deposit(1, wallet="w2"))
        token = self.deposit(1).consistency_token
        self.expect_error(grpc.StatusCode.NOT_FOUND, "ROW_NOT_FOUND", lambda: self.balance(wallet="w2", token=token))

    def test_lists_page_by_page(self):
        # One token for each wallet: a token covers its own write only.
        for wallet in ("a", "b", "c"):
            token = self.open(wallet).consistency_token
            self.assertEqual(self.balance(wallet, token), 0)
        seen, page_token = [], ""
        while True:
            page = self.queries.ListWalletBalances(
                api.ListWalletBalancesRequest(page_size=2, page_token=page_token)
            )
            seen.append([row.wallet_id for row in page.wallet_balances])
            page_token = page.next_page_token
            if not page_token:
                break
        self.assertEqual(seen, [["a", "b"], ["c"]])

    def test_is_refused_a_token_that_is_none(self):
        self.open()
        self.expect_error(
            grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", lambda: self.balance(token="not a token")
        )

    def test_finds_the_services_healthy(self):
        # grpc.health.v1 by its wire format: HealthCheckRequest {1: service}, HealthCheckResponse {1: status}.
        check = self.server.channel.unary_unary("/grpc.health.v1.Health/Check")
        serving = b"\x08\x01"
        self.assertEqual(check(b""), serving)
        for name in (b"wallet.v1.WalletCommandService", b"wallet.v1.WalletBalanceQueryService"):
            self.assertEqual(check(b"\x0a" + bytes([len(name)]) + name), serving)
        with self.assertRaises(grpc.RpcError) as raised:
            check(b"\x0a\x07unknown")
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_finds_the_services_by_reflection(self):
        # ServerReflectionRequest {7: list_services}; the answer holds the names as text.
        list_services = b"\x3a\x00"
        for version in ("v1", "v1alpha"):
            ask = self.server.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
            answer = next(ask(iter([list_services])))
            for name in (b"wallet.v1.WalletCommandService", b"wallet.v1.WalletBalanceQueryService"):
                self.assertIn(name, answer)


if __name__ == "__main__":
    wallet_app.main()
