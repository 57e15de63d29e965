"""What a client in another language can read of an error: google.rpc.Status, in its trailer; and what tests of errors
share."""

import grpc
import wallet_app
from wallet_app import api, domain

from everfold.v1 import command_service_pb2 as commands
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

Code = grpc.StatusCode

KINDS = [
    error_details_pb2.ErrorInfo,
    error_details_pb2.RetryInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.ResourceInfo,
    domain.InsufficientFunds,
    domain.LimitExceeded,
]


def status_of(error):
    """The google.rpc.Status of an RpcError; None where there is none."""
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    return None if trailer is None else status_pb2.Status.FromString(trailer)


def unpacked(status):
    """The messages of a google.rpc.Status by their short name."""
    found = {}
    for detail in status.details:
        for kind in KINDS:
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


def execute_request(message, **more):
    packed = any_pb2.Any()
    packed.Pack(message)
    return commands.ExecuteRequest(command=packed, **more)


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
