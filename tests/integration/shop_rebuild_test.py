"""The shop's read models: built anew they are the same, byte for byte, and on any number of partitions."""

import shop_app
import wallet_app


class ShopRebuild(shop_app.ShopTest):
    def test_gives_the_same_bytes_on_1_4_and_16_partitions(self):
        orders = shop_app.generate_orders("orders-to-rebuild", 1500, seed=3)
        all_rows = []
        for partitions in [1, 4, 16]:
            with self.subTest(partitions=partitions):
                app = self.shop(f"on-{partitions}-partitions", partitions)
                self.import_orders(app, orders)
                self.assertEqual(app.stop(), 0)
                self.expect_verified(app)  # compares the dumps before and after a rebuild
                all_rows.append(shop_app.rows_of(app))
        self.assertEqual(sorted(all_rows[0]), shop_app.READ_MODELS)
        self.assertEqual(len(all_rows[0]["order_summary"]), 1500)
        self.assertEqual(all_rows[1], all_rows[0])
        self.assertEqual(all_rows[2], all_rows[0])


if __name__ == "__main__":
    wallet_app.main()
