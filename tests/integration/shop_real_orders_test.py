"""5,000 real orders, to the last cent: at once, once more, and through kill -9."""

import shop_app
import wallet_app

ORDERS = {
    "delivered": 4858,
    "shipped": 61,
    "canceled": 25,
    "unavailable": 24,
    "processing": 20,
    "invoiced": 12,
    "all": 5000,
}
PAYMENTS = {
    "credit_card": (3854, 61372991),
    "boleto": (996, 14892357),
    "voucher": (239, 1426917),
    "debit_card": (71, 1257612),
}
WARNINGS = [
    "134 warnings",
    "34  without items",
    "24  payments differ from items and freight",
    "74  handed to the carrier before approval",
    "1  canceled yet delivered",
    "1  delivered without a date of delivery",
]


class RealOrders(shop_app.ShopTest):
    def expect_figures(self, output):
        self.assertEqual(shop_app.orders_in(output), ORDERS, output)
        self.assertEqual(shop_app.payments_in(output), PAYMENTS, output)
        self.assertIn("\n0 rejected rows\n", output)
        for warning in WARNINGS:
            self.assertRegex(output, rf"(?m)^ *{warning}$")

    def test_are_imported_once_however_often_they_are_sent(self):
        app = self.shop()
        output, _ = self.import_orders(app, shop_app.REAL_ORDERS)
        self.expect_figures(output)
        self.assertIn(": 25,012 commands accepted, 0 repeated ", output)
        self.assertEqual(app.stop(), 0)
        before = shop_app.rows_of(app)
        app.start()
        output, _ = self.import_orders(app, shop_app.REAL_ORDERS)
        self.expect_figures(output)
        self.assertIn(": 0 commands accepted, 25,012 repeated ", output)
        self.assertEqual(app.stop(), 0)
        self.assertEqual(shop_app.rows_of(app), before)
        self.expect_verified(app)

    def test_are_the_same_after_a_kill_of_both(self):
        app = self.shop()
        importer = self.start_import(app, shop_app.REAL_ORDERS)
        shop_app.wait_for_events(app, 8000)
        app.kill()
        self.assertIsNone(importer.poll(), "the import was over too soon")
        shop_app.end(importer)
        app.start()
        output, _ = self.import_orders(app, shop_app.REAL_ORDERS)
        self.expect_figures(output)
        self.assertRegex(output, r": [1-9][\d,]* commands accepted, [1-9][\d,]* repeated ")


if __name__ == "__main__":
    if not shop_app.REAL_ORDERS.exists():
        wallet_app.skip(f"there is no {shop_app.REAL_ORDERS}")
    wallet_app.main()
