"""A deploy: the new program builds its read models while the old one still serves, and has only the rest to fold."""

import os
import re
import subprocess

import wallet_app
from load import WALLET, Load
from wallet_app import api

REVISED_WALLET = os.environ["REVISED_WALLET"]


class RebuildAhead(wallet_app.IntegrationTest):
    def test_the_new_program_goes_on_from_what_was_built_ahead(self):
        app = self.app()
        load = Load(self, 3000)
        load.open(app)
        done = load.run_until(app, 1000, lambda: self.ahead(app))
        self.expect_done(done)
        self.assertRegex(done.stdout, r"^balances: built ahead, as of [\d,]+ events\nStop the application at ")
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +1 +1 +- ", "it knows nothing of it")
        load.expect_balance(app)
        self.deploy(app)
        taken_over = re.search(r'what was built ahead is taken over.*file=(\S+) events_behind=(\d+)', app.log.read_text())
        self.assertTrue(taken_over, app.log.read_text())
        self.assertEqual(taken_over[1].strip('"'), str(app.data / "read/balances/2.db"))
        self.assertLess(int(taken_over[2]), 2001, "what was deposited meanwhile, and no more")
        self.expect_twice_the_balance(app, load)
        self.assertRegex(app.ask("projections").stdout, r"(?m)^balances +running +2 +2 +1 +0 ")
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)  # a clean rebuild comes to the same

    def test_it_is_killed_and_goes_on(self):
        app = self.app()
        load = Load(self, 2000)
        load.open(app)
        ahead_file = app.data / "read/balances/ahead.db"

        def kill_some():
            for _ in range(5):
                command = [REVISED_WALLET, "rebuild", "--ahead", "--data", str(app.data), "--address", app.address]
                build = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                wallet_app.wait_until("it has begun", lambda: ahead_file.exists() or build.poll() is not None)
                build.kill()
                build.wait()

        load.run_until(app, 200, kill_some)
        done = self.ahead(app)
        self.expect_done(done)
        self.assertIn("balances: built ahead, as of 2,001 events", done.stdout)
        load.finish(app)
        self.deploy(app)
        self.assertIn("what was built ahead is taken over", app.log.read_text())
        self.expect_twice_the_balance(app, load)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_what_the_old_program_does_not_need_is_not_kept(self):
        app = self.app()
        load = Load(self, 50)
        load.open(app)
        load.finish(app)
        self.expect_done(self.ahead(app))
        self.assertEqual(app.stop(), 0)
        app.start()  # the deploy was put off
        self.assertRegex(app.log.read_text(), r"what was built ahead is deleted.* was built by this code, and goes on")
        self.assertFalse((app.data / "read/balances/ahead.db").exists())
        load.expect_balance(app)

    def test_it_says_why_it_does_not_build(self):
        app = self.app()
        load = Load(self, 5)
        load.open(app)
        load.finish(app)
        same = app.run("rebuild", "--ahead", "--address", app.address)
        self.expect_done(same)
        self.assertEqual(same.stdout, "balances: what is queried was built by this code already\n")
        self.assertFalse((app.data / "read/balances/ahead.db").exists())

        unknown = self.ahead(app, "balance")
        self.assertEqual(unknown.returncode, 2)
        self.assertEqual(unknown.stderr, "wallet: there is no projection balance; there is: balances\n")

        other = self.app(self.id().rsplit(".", 1)[-1] + "_other")
        wrong = self.ahead(app, address=other.address)
        self.assertEqual(wrong.returncode, 2)
        self.assertRegex(wrong.stderr, rf"the application at {other.address} has another store \(epoch \w+\) than {app.data} ")

        nothing = subprocess.run([REVISED_WALLET, "rebuild", "--ahead", "--data", str(app.data / "no"), "--address", app.address],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("there is no store in", nothing.stderr)

        address = other.address
        self.assertEqual(other.stop(), 0)
        gone = self.ahead(app, address=address)
        self.assertEqual(gone.returncode, 70)
        self.assertIn(f"the application at {address} could not be reached, is it running?", gone.stderr)

    def ahead(self, app, *projections, address=None):
        """The new program, while the old one is at work."""
        command = [REVISED_WALLET, "rebuild", *projections, "--ahead", "--data", str(app.data),
                   "--address", address or app.address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def deploy(self, app):
        self.assertEqual(app.stop(), 0)
        app.program = REVISED_WALLET
        app.start()

    def expect_twice_the_balance(self, app, load):
        """Within the time that a query waits for the token of a write."""
        newest = max(load.acknowledged.values(), key=lambda receipt: receipt.version)
        query = api.GetWalletBalanceRequest(wallet_id=WALLET, consistency_token=newest.consistency_token)
        wallet_app.wait_until("the new version is queried", lambda: re.search(
            r"(?m)^balances +running +2 +2 ", app.ask("projections").stdout))
        self.assertEqual(app.queries().GetWalletBalance(query).wallet_balance.balance_minor, 2 * sum(load.numbers))


if __name__ == "__main__":
    wallet_app.main()
