"""Lists, watches and SQL, as a program in another language asks for them."""

import queue
import threading

import grpc
import wallet_app
from wallet_app import api, domain

from everfold.v1 import query_service_pb2 as sql
from everfold.v1 import query_service_pb2_grpc as sql_services
from google.rpc import error_details_pb2, status_pb2


def reason_of(error):
    trailers = dict(error.trailing_metadata())
    for detail in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return None


def cell(value):
    return {int: lambda: sql.SqlValue(integer=value), str: lambda: sql.SqlValue(text=value)}[type(value)]()


class Responses:
    """What a stream of responses brings, as it comes."""

    def __init__(self, call):
        self.call = call
        self.queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for response in self.call:
                self.queue.put(response)
        except grpc.RpcError as error:
            self.queue.put(error)

    def next(self):
        return self.queue.get(timeout=30)


class QueriesTest(wallet_app.IntegrationTest):
    def sql_app(self, *options):
        app = wallet_app.WalletApp(self.id().rsplit(".", 1)[-1])
        app.serve_options = list(options)
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        return app.start()

    def open_wallets(self, app, balances):
        for wallet, balance in balances.items():
            app.commands().OpenWallet(api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=wallet)))
            token = self.deposit(app, wallet, balance)
        return token

    def deposit(self, app, wallet, amount):
        command = domain.Deposit(wallet_id=wallet, amount_minor=amount)
        return app.commands().Deposit(api.DepositRequest(command=command)).receipt.consistency_token

    def expect_refused(self, call, code, reason, text):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        error = raised.exception
        self.assertEqual(error.code(), code, error.details())
        self.assertEqual(reason_of(error), reason)
        self.assertIn(text, error.details())

    def test_lists_what_a_filter_lets_through_page_by_page(self):
        app = self.app()
        token = self.open_wallets(app, {f"w{i}": i + 1 for i in range(5)})
        request = api.ListWalletBalancesRequest(
            page_size=2, consistency_token=token, filter='wallet_id != "w3"', order_by="wallet_id desc")
        pages = []
        while True:
            page = app.queries().ListWalletBalances(request)
            pages.append([row.wallet_id for row in page.wallet_balances])
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        self.assertEqual(pages, [["w4", "w2"], ["w1", "w0"]])

        other = api.ListWalletBalancesRequest(page_size=2, page_token=request.page_token)
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.expect_refused(lambda: app.queries().ListWalletBalances(other), invalid, "REQUEST_INVALID",
                            "page_token is of a list with another filter or order_by")
        for text, message in [
            ("balance_minor > 0", 'there is no field "balance_minor" to filter by; there are: wallet_id'),
            ("wallet_id = w1 OR 1=1", '"w1" is no value of wallet_id; write a text, between quotes'),
            ('wallet_id = "w1"; DROP TABLE wallet_balance', "filter, at 17: AND, or the end, is expected"),
        ]:
            self.expect_refused(lambda: app.queries().ListWalletBalances(api.ListWalletBalancesRequest(filter=text)),
                                invalid, "REQUEST_INVALID", message)
        huge = api.ListWalletBalancesRequest(page_size=2**31 - 1, filter='wallet_id = "' + "x" * 5000 + '"')
        self.expect_refused(lambda: app.queries().ListWalletBalances(huge), invalid, "LIMIT_EXCEEDED", "5014 bytes")
        all_rows = app.queries().ListWalletBalances(api.ListWalletBalancesRequest(page_size=2**31 - 1))
        self.assertEqual(len(all_rows.wallet_balances), 5)

    def test_watches_a_row_until_the_server_stops(self):
        app = self.app()
        watch = Responses(app.queries().WatchWalletBalance(api.WatchWalletBalanceRequest(wallet_id="w1")))
        self.assertFalse(watch.next().HasField("wallet_balance"))
        self.open_wallets(app, {"other": 1, "w1": 7})
        balance = -1
        while balance < 7:  # also when it is opened, unless that and the deposit are of one batch
            response = watch.next()
            self.assertTrue(response.HasField("wallet_balance"))
            self.assertGreater(response.wallet_balance.balance_minor, balance)
            balance = response.wallet_balance.balance_minor
        self.deposit(app, "other", 5)
        self.deposit(app, "w1", 5)
        self.assertEqual(watch.next().wallet_balance.balance_minor, 12)
        self.assertEqual(app.stop(), 0)
        error = watch.next()
        self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(reason_of(error), "SHUTTING_DOWN")

    def test_watches_a_list(self):
        app = self.app()
        token = self.open_wallets(app, {"a": 1, "b": 2})
        request = api.WatchWalletBalancesRequest(
            page_size=2, filter='wallet_id >= "a"', order_by="wallet_id desc", consistency_token=token)
        watch = Responses(app.queries().WatchWalletBalances(request))
        first = watch.next()
        self.assertEqual([(row.wallet_id, row.balance_minor) for row in first.wallet_balances], [("b", 2), ("a", 1)])
        self.assertFalse(first.more)
        self.open_wallets(app, {"c": 3})
        while True:
            page = watch.next()
            if [(row.wallet_id, row.balance_minor) for row in page.wallet_balances] == [("c", 3), ("b", 2)]:
                break
        self.assertTrue(page.more)
        watch.call.cancel()
        self.assertEqual(watch.next().code(), grpc.StatusCode.CANCELLED)

    def test_sql_is_off_unless_it_is_allowed(self):
        app = self.app()
        stub = sql_services.QueryServiceStub(app.channel)
        with self.assertRaises(grpc.RpcError) as raised:
            stub.Sql(sql.SqlRequest(projection="balances", sql="SELECT 1"))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_sql_reads_and_changes_nothing(self):
        app = self.sql_app("--allow-sql")
        token = self.open_wallets(app, {"a": 1, "b": 20, "c": 300})
        stub = sql_services.QueryServiceStub(app.channel)

        def rows(text, *values, **more):
            request = sql.SqlRequest(projection="balances", sql=text, parameters=[cell(value) for value in values],
                                     **more)
            return stub.Sql(request)

        response = rows("SELECT wallet_id, balance_minor FROM wallet_balance WHERE balance_minor > ? ORDER BY 1", 1,
                        consistency_token=token)
        self.assertEqual(list(response.columns), ["wallet_id", "balance_minor"])
        found = [(row.values[0].text, row.values[1].integer) for row in response.rows]
        self.assertEqual(found, [("b", 20), ("c", 300)])
        nothing = rows("SELECT NULL, ?", "' OR '1'='1").rows[0]
        self.assertIsNone(nothing.values[0].WhichOneof("kind"))
        self.assertEqual(nothing.values[1].text, "' OR '1'='1")
        some = rows("SELECT wallet_id FROM wallet_balance", max_rows=2)
        self.assertEqual(len(some.rows), 2)
        self.assertTrue(some.more)

        invalid = grpc.StatusCode.INVALID_ARGUMENT
        for text in ["DELETE FROM wallet_balance", "ATTACH 'x' AS x", "PRAGMA query_only = 0", "VACUUM INTO 'copy.db'",
                     "DROP TABLE wallet_balance", "INSERT INTO everfold_checkpoint VALUES (0, 0)"]:
            self.expect_refused(lambda: rows(text), invalid, "REQUEST_INVALID", "SQL: only SELECT is available here")
        self.expect_refused(lambda: rows("SELECT 1; SELECT 2"), invalid, "REQUEST_INVALID", "one statement at a time")
        self.expect_refused(lambda: rows("SELECT * FORM x"), invalid, "REQUEST_INVALID", "SQL: at 10:")
        self.expect_refused(lambda: stub.Sql(sql.SqlRequest(projection="saldos", sql="SELECT 1")), invalid,
                            "REQUEST_INVALID", "there are: balances")
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        self.expect_refused(lambda: rows(endless), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
                            "ended at its deadline")
        self.assertEqual(rows("SELECT sum(balance_minor) FROM wallet_balance").rows[0].values[0].integer, 321)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)


if __name__ == "__main__":
    wallet_app.main()
