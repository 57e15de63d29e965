"""kill -9 in the middle of deposits: what was acknowledged is there once, and the read model equals the fold."""

import os
import random

import wallet_app
from load import Load

SEED = int(os.environ.get("EVERFOLD_SEED", random.SystemRandom().randrange(1 << 32)))


def write_payments(path, rows):
    """A file of payments; returns the sums it leads to."""
    methods = [f"method_{number}" for number in range(40)]
    sums = dict.fromkeys(methods, 0)
    with open(path, "w", encoding="ascii") as file:
        file.write("order_id,payment_sequential,payment_type,payment_value\n")
        for number in range(1, rows + 1):
            method = methods[number % len(methods)]
            file.write(f"{number},1,{method},{number // 100}.{number % 100:02}\n")
            sums[method] += number
    return sums


class Crash(wallet_app.IntegrationTest):
    def setUp(self):
        print(f"seed {SEED} (replay with EVERFOLD_SEED={SEED})", flush=True)
        self.random = random.Random(SEED)

    def test_keeps_each_acknowledged_deposit_once(self):
        app = self.app()
        load = Load(self, 1500)
        load.open(app)
        for _ in range(5):
            load.run_until(app, self.random.randrange(1, 200), app.kill)
            app.start()
        load.finish(app)
        load.expect_balance(app)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_lets_a_depositor_go_on_where_it_was(self):
        app = self.app()
        payments = wallet_app.WORK / "payments.csv"
        sums = write_payments(payments, 20000)
        depositor = wallet_app.deposit_payments(app.address, payments)
        self.addCleanup(self.end, depositor)
        enough = 0
        for _ in range(6):
            enough += self.random.randrange(1, 2000)
            wallet_app.wait_until(f"{enough} deposits", lambda: app.events_in_read_model() >= enough)
            self.assertIsNone(depositor.poll(), "the file was too short to be interrupted")
            app.expect_running()
            app.kill()
            app.launch()
        output, errors = depositor.communicate(timeout=240)
        self.assertEqual(depositor.returncode, 0, output + errors)
        self.assertEqual(wallet_app.balances_in(output), sums)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def end(self, depositor):
        depositor.kill()
        depositor.communicate()


if __name__ == "__main__":
    wallet_app.main()
