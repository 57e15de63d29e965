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
        with (orders / "olist_order_payments_dataset.csv").open("a") as payments:
            payments.write("future,1,boleto,1,10.00\n")
        app = self.shop()
        output, errors = self.import_orders(app, orders, expected_code=1)
        self.assertRegex(
            errors,
            r"olist_orders_dataset\.csv:2: rejected: place: it cannot have happened at 2099-01-01T00:00:00Z: "
            r"not from 1970-01-01T00:00:00Z to \d{4}-",
        )
        self.assertIn("\n1 rejected rows, and 1 rows of their orders\n", output)
        self.assertEqual(shop_app.orders_in(output)["all"], 3)
        self.assertNotIn("customer is not among the customers", output)

    def test_counts_a_row_once_however_many_of_its_steps_are_refused(self):
        orders = shop_app.generate_orders("late-orders", 3)
        rows = (orders / "olist_orders_dataset.csv").read_text().splitlines()
        rows.insert(1, "late,nobody,delivered,2018-01-01 00:00:00,,2099-01-01 00:00:00,2099-01-02 00:00:00,")
        (orders / "olist_orders_dataset.csv").write_text("\n".join(rows) + "\n")
        output, errors = self.import_orders(self.shop(), orders, expected_code=1)
        self.assertEqual(errors.count("olist_orders_dataset.csv:2: rejected: "), 2, errors)
        self.assertIn(":2: rejected: ship: it cannot", errors)
        self.assertIn(":2: rejected: deliver: it cannot", errors)
        self.assertIn("\n1 rejected rows\n", output)
        self.assertEqual(shop_app.orders_in(output)["placed"], 1)

    def test_lets_the_first_import_of_a_row_stand(self):
        orders = shop_app.generate_orders("corrected-orders", 0)
        payments = orders / "olist_order_payments_dataset.csv"
        header = payments.read_text()
        rows = orders / "olist_orders_dataset.csv"
        rows_header = rows.read_text()
        rows.write_text(rows_header + "o1,c1,created,2018-01-01 00:00:00,,,,\n")
        payments.write_text(header + "o1,1,boleto,1,40.90\n")
        app = self.shop()
        self.import_orders(app, orders)
        rows.write_text(rows_header + "o1,c2,approved,2018-01-01 00:00:00,2018-01-02 00:00:00,,,\n")
        payments.write_text(header + "o1,1,boleto,1,40.95\no1,2,boleto,1,1.00\n")
        output, errors = self.import_orders(app, orders, expected_code=1)
        reason = "imported before with other content; the first import stands"
        self.assertIn(f"{rows}:2: rejected: place: {reason}\n", errors)
        self.assertIn(f"{payments}:2: rejected: capture-1: {reason}\n", errors)
        self.assertIn(": 2 commands accepted, 0 repeated ", output)
        self.assertIn("\n2 rejected rows\n", output)
        self.assertEqual(shop_app.orders_in(output), {"approved": 1, "all": 1})
        self.assertEqual(shop_app.payments_in(output), {"boleto": (2, 4190)})

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
        self.assertTrue(errors.endswith("run the same command again: what is there is not done twice\n"), errors)

    def test_tells_of_a_folder_that_holds_no_orders(self):
        app = self.shop()
        _, errors = self.import_orders(app, app.data, expected_code=2)
        self.assertIn("olist_customers_dataset.csv: cannot be read: No such file or directory", errors)

    def test_tells_of_a_file_that_is_a_folder(self):
        orders = wallet_app.WORK / "folders-for-files"
        (orders / "olist_customers_dataset.csv").mkdir(parents=True, exist_ok=True)
        _, errors = self.import_orders(self.shop(), orders, expected_code=2)
        self.assertIn("olist_customers_dataset.csv:1: cannot be read: Is a directory", errors)

    def test_takes_no_empty_address(self):
        importer = self.start_import(self.shop(), shop_app.MALFORMED_ORDERS, "--address=")
        _, errors = self.outcome(importer, expected_code=2)
        self.assertIn("--address", errors)


if __name__ == "__main__":
    wallet_app.main()
