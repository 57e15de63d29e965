"""Imports into the shop: what is there afterwards, however often, and however interrupted."""

import os
import random

import shop_app
import wallet_app

SEED = int(os.environ.get("EVERFOLD_SEED", random.SystemRandom().randrange(1 << 32)))


class ShopImport(shop_app.ShopTest):
    def test_of_malformed_rows_loses_nothing_else(self):
        app = self.shop()
        output, errors = self.import_orders(app, shop_app.MALFORMED_ORDERS, expected_code=1)
        rejected = [line for line in errors.splitlines() if ": rejected: " in line]
        self.assertEqual(len(rejected), 20, errors)
        self.assertIn(
            f"{shop_app.MALFORMED_ORDERS}/olist_orders_dataset.csv:6: rejected: "
            "order_status is 'vanished', which is none",
            rejected,
        )
        self.assertIn("20 rejected rows, and 2 rows of their orders", output)
        self.assertEqual(
            shop_app.orders_in(output), {"shipped": 1, "delivered": 1, "canceled": 1, "all": 3}, output
        )
        self.assertEqual(
            shop_app.payments_in(output), {"boleto": (1, 2000), "credit_card": (1, 6040), "voucher": (1, 5000)}
        )
        self.assertIn("1  customer is not among the customers", output)
        again, _ = self.import_orders(app, shop_app.MALFORMED_ORDERS, expected_code=1)
        self.assertIn(" 0 commands accepted, ", again)
        self.assertEqual(shop_app.orders_in(again), shop_app.orders_in(output))

    def test_tells_which_row_the_shop_refuses(self):
        orders = shop_app.generate_orders("orders-of-the-future", 3)
        rows = (orders / "olist_orders_dataset.csv").read_text().splitlines()
        rows.insert(1, "future,nobody,created,2099-01-01 00:00:00,,,,")
        (orders / "olist_orders_dataset.csv").write_text("\n".join(rows) + "\n")
        app = self.shop()
        output, errors = self.import_orders(app, orders, expected_code=1)
        self.assertRegex(errors, r"olist_orders_dataset\.csv:2: rejected: FAILED_PRECONDITION: .*OrderTimeRefused")
        self.assertIn("\n1 rejected rows\n", output)
        self.assertEqual(shop_app.orders_in(output)["all"], 3)

    def test_goes_on_where_it_was_when_the_shop_is_killed(self):
        print(f"seed {SEED} (replay with EVERFOLD_SEED={SEED})", flush=True)
        chance = random.Random(SEED)
        orders = shop_app.generate_orders("orders-for-kills", 6000)
        quiet = self.shop("quiet")
        expected, _ = self.import_orders(quiet, orders)
        self.assertEqual(quiet.stop(), 0)

        app = self.shop()
        importer = self.start_import(app, orders)
        enough = 0
        for _ in range(5):
            enough += chance.randrange(1, 4000)
            shop_app.wait_for_events(app, enough)
            self.assertIsNone(importer.poll(), "the data set was too short to be interrupted")
            app.expect_running()
            app.kill()
            app.launch()
        output, _ = self.outcome(importer)
        self.assertEqual(shop_app.orders_in(output), shop_app.orders_in(expected))
        self.assertEqual(shop_app.payments_in(output), shop_app.payments_in(expected))
        self.assertEqual(app.stop(), 0)
        self.assertEqual(shop_app.rows_of(app), shop_app.rows_of(quiet))
        self.expect_verified(app)

    def test_goes_on_when_the_import_is_killed(self):
        orders = shop_app.generate_orders("orders-for-one-kill", 3000)
        app = self.shop()
        importer = self.start_import(app, orders)
        shop_app.wait_for_events(app, 2000)
        self.assertIsNone(importer.poll(), "the data set was too short to be interrupted")
        shop_app.end(importer)
        output, _ = self.import_orders(app, orders)
        self.assertEqual(shop_app.orders_in(output)["all"], 3000)
        self.assertRegex(output, r": [1-9][\d,]* commands accepted, [1-9][\d,]* repeated ")

    def test_tells_of_a_shop_that_does_not_answer(self):
        app = self.shop()
        app.kill()
        importer = self.start_import(app, shop_app.MALFORMED_ORDERS, "--patience", "1")
        _, errors = self.outcome(importer, expected_code=3)
        self.assertIn(f"no answer from the shop at {app.address}: UNAVAILABLE", errors)

    def test_tells_of_a_folder_that_holds_no_orders(self):
        app = self.shop()
        _, errors = self.import_orders(app, app.data, expected_code=2)
        self.assertIn("olist_customers_dataset.csv: cannot be read", errors)


if __name__ == "__main__":
    wallet_app.main()
