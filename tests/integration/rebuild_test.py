"""Read models can be thrown away: they are built anew from the log, byte for byte."""

import contextlib
import re
import sqlite3
import subprocess

import grpc
import wallet_app
from wallet_app import api, domain, dump_of_read_models

from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services


class Rebuild(wallet_app.IntegrationTest):
    def test_builds_deleted_read_models_anew(self):
        app = self.app()
        tokens = self.fill(app)
        self.assertEqual(app.stop(), 0)
        before = dump_of_read_models(app)
        self.assertTrue(any("w7" in line for dump in before.values() for line in dump))

        for path in app.read_model_files():
            for file in path.parent.glob(path.name + "*"):
                file.unlink()
        self.assertEqual(app.read_model_files(), [])

        app.start()
        self.expect_rows(app, tokens)
        self.assertEqual(app.stop(), 0)
        self.assertEqual(dump_of_read_models(app), before)

    def test_builds_anew_by_command(self):
        app = self.app()
        tokens = self.fill(app)
        self.assertEqual(app.stop(), 0)
        before = dump_of_read_models(app)
        self.expect_done(app.run("rebuild"))
        self.assertEqual(dump_of_read_models(app), before)
        self.expect_done(app.run("verify"))
        app.start()
        self.expect_rows(app, tokens)

    def test_builds_anew_while_it_serves(self):
        app = self.app()
        tokens = self.fill(app)
        self.assertTrue(app.read_model_file("balances").samefile(app.data / "read/balances/1.db"))
        done = app.ask("projections", "rebuild", "balances")
        self.expect_done(done)
        self.assertEqual(done.stdout, "balances: rebuilt; queries see version 2, version 1 is kept\n")
        self.expect_rows(app, tokens)
        self.assertTrue(app.read_model_file("balances").samefile(app.data / "read/balances/2.db"))
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +1 +2 +1 ")
        done = app.ask("projections", "rollback", "balances")
        self.assertEqual(done.stdout, "balances: rolled back; queries see version 1, version 2 is kept\n", done.stderr)
        self.expect_rows(app, tokens)
        done = app.ask("projections", "rollback", "balances")
        self.assertEqual(done.stdout, "balances: rolled back; queries see version 2, version 1 is kept\n", done.stderr)
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +1 +2 +1 ")
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_compares_before_it_swaps(self):
        app = self.app()
        self.fill(app)
        self.assertEqual(app.stop(), 0)
        with contextlib.closing(sqlite3.connect(app.read_model_file("balances"))) as database, database:
            database.execute("UPDATE wallet_balance SET balance_minor = 1 WHERE wallet_id = 'w7'")
        app.start()
        done = app.ask("projections", "wait", "balances", "--timeout", "30")
        self.assertEqual(done.stdout, "balances: has taken in all that there was\n", done.stderr)
        done = app.ask("projections", "compare", "balances")
        self.assertEqual(
            done.stdout,
            "balances: version 1, which is queried, and version 2, both as of 230 events\n"
            "  wallet_balance: 20 rows, 0 more, 0 fewer, 1 changed\n"
            "    'w7' differs\n"
            "      balance_minor: 1, in version 2 3600\n"
            "version 2 is kept: `projections rebuild balances` swaps it in, `projections cancel balances` gives it up\n",
            done.stderr)
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +1 +1 +- ")
        done = app.ask("projections", "rebuild", "balances")
        self.assertEqual(done.stdout, "balances: rebuilt; queries see version 2, version 1 is kept\n", done.stderr)
        self.assertIn("20 rows, the same in both", app.ask("projections", "compare", "balances").stdout)

    def test_verifies_while_it_serves(self):
        app = self.app()
        self.fill(app)
        done = app.ask("verify")
        self.expect_done(done)
        self.assertIn("read model balances: version 1, 230 events applied, 0 parked, 0 dropped, as the log has them",
                      done.stdout)
        self.assertEqual(app.stop(), 0)
        with contextlib.closing(sqlite3.connect(app.read_model_file("balances"))) as database, database:
            database.execute("UPDATE everfold_checkpoint SET applied_count = applied_count + 1")
        app.start()
        done = app.ask("verify")
        self.assertEqual(done.returncode, 74, done.stderr)
        self.assertIn("found: projection balances: of partition", done.stdout)
        self.assertIn("build them anew with `rebuild`", done.stderr)
        self.expect_done(app.ask("projections", "rebuild", "balances"))
        self.expect_done(app.ask("verify"))

    def test_resets(self):
        app = self.app()
        tokens = self.fill(app)
        done = app.ask("projections", "reset", "balances")
        self.assertEqual(done.stdout, "balances: reset; it begins at the beginning of the log\n", done.stderr)
        self.expect_rows(app, tokens)
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +1 +2 +- ")
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_pauses_and_tells_where_it_stands(self):
        app = self.app()
        self.fill(app)
        self.assertEqual(app.ask("projections", "pause", "balances").stdout, "balances: paused\n")
        late = app.commands().OpenWallet(api.OpenWalletRequest(command=domain.OpenWallet(wallet_id="late")))
        query = api.GetWalletBalanceRequest(wallet_id="late", consistency_token=late.receipt.consistency_token)
        with self.assertRaises(grpc.RpcError) as refused:
            app.queries().GetWalletBalance(query)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(refused.exception.details(), "projection balances is paused")
        listed = app.ask("projections")
        self.expect_done(listed)
        self.assertRegex(listed.stdout, r"(?m)^balances +paused +1 +1 +- +1 ")
        done = app.ask("projections", "rebuild", "balances")
        self.assertEqual(done.stdout, "balances: rebuilt; queries see version 2, version 1 is kept\n", done.stderr)
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +paused +1 +2 +1 +0 ", "it stays paused")
        self.assertEqual(app.ask("projections", "resume", "balances").stdout, "balances: resumed\n")
        wallet_app.wait_until("it has caught up",
                              lambda: re.search(r"(?m)^balances +running +1 +2 +1 +0 +- ", app.ask("projections").stdout))
        self.assertEqual(app.ask("parked", "list", "balances").stdout, "no key is parked\n")
        unknown = app.ask("projections", "rebuild", "balance")
        self.assertEqual(unknown.returncode, 70)
        self.assertIn("there is no projection", unknown.stderr)

    def test_a_retry_that_fails_again_says_why(self):
        app = wallet_app.WalletApp("retry")
        app.serve_options = ["--allow-raw-appends"]
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        app.start()
        app.commands().OpenWallet(api.OpenWalletRequest(command=domain.OpenWallet(wallet_id="w1")))
        garbage = store.NewEvent(type="wallet.v1.Deposited", payload=b"\xff")
        stub = store_services.EventStoreServiceStub(app.channel)
        stub.Append(store.AppendRequest(streams=[store.StreamAppend(stream="wallet/w1", events=[garbage])]))
        wallet_app.wait_until("it is parked", lambda: "wallet/w1" in app.ask("parked", "list", "balances").stdout)
        listed = app.ask("parked", "list", "balances").stdout
        self.assertRegex(listed, r'^"wallet/w1": 1 event waits, tried 1 time, recorded \S+\n  at wallet.v1.Deposited, ')
        done = app.ask("parked", "retry", "balances", "wallet/w1")
        self.assertRegex(
            done.stdout,
            r"^wallet/w1: 1 event still waits\n  at wallet.v1.Deposited, .*: the payload is not a message of this type\n$",
        )
        dropped = app.ask("parked", "drop", "balances", "wallet/w1", "--version", "2", "--reason", "garbage")
        self.assertEqual(dropped.stdout, "wallet/w1: not parked any more\n", dropped.stderr)

    def test_goes_on_building_after_a_kill(self):
        app = self.app()
        tokens = self.fill(app)
        for _ in range(5):
            asked = subprocess.Popen([app.program, "projections", "rebuild", "balances", "--address", app.address],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wallet_app.wait_until("a rebuild has begun or ended", lambda: asked.poll() is not None or re.search(
                r"(?m)^building [1-9]", (app.data / "read/balances/MANIFEST").read_text()))
            app.kill()
            asked.wait()
            app.start()
            self.expect_rows(app, tokens)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_damaged_read_models_are_built_anew_while_commands_go_on(self):
        app = self.app()
        tokens = self.fill(app)
        for damaged in ("1.db", "MANIFEST"):
            self.assertEqual(app.stop(), 0)
            path = app.data / "read/balances" / damaged
            path.write_bytes(b"x" * 8192)
            found = app.run("verify")
            self.assertEqual(found.returncode, 74, found.stderr)
            self.assertIn(f"found: read model balances: {path}", found.stdout)
            self.assertIn("build them anew with `rebuild`", found.stderr)
            self.assertNotIn("salvage", found.stderr, "the log is whole")
            logged = len(app.log.read_text())
            app.start()
            self.expect_rows(app, tokens)
            told = [line for line in app.log.read_text()[logged:].splitlines() if " error " in line]
            self.assertEqual(len(told), 1, told)
            self.assertIn("projection is built anew", told[0])
            self.assertIn(str(path), told[0])
            self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running ")
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)
        files = list((app.data / "read/balances").iterdir())
        self.assertEqual(sorted(file.name for file in files), ["3.db", "4.db", "MANIFEST"])
        for file in files:
            self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)

    def fill(self, app):
        """Twenty wallets with different histories; returns the last token of each."""
        commands = app.commands()
        tokens = {}
        for number in range(20):
            wallet = f"w{number}"
            commands.OpenWallet(api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=wallet)))
            for amount in range(1, number + 2):
                deposit = domain.Deposit(wallet_id=wallet, amount_minor=amount * 100)
                tokens[wallet] = commands.Deposit(api.DepositRequest(command=deposit)).receipt.consistency_token
        self.expect_rows(app, tokens)
        return tokens

    def expect_rows(self, app, tokens):
        for number, (wallet, token) in enumerate(tokens.items()):
            query = api.GetWalletBalanceRequest(wallet_id=wallet, consistency_token=token)
            row = app.queries().GetWalletBalance(query).wallet_balance
            self.assertEqual(row.balance_minor, 100 * (number + 1) * (number + 2) // 2)


if __name__ == "__main__":
    wallet_app.main()
