"""5,160 real payments through gRPC, to the last cent, twice."""

import wallet_app

# Of the public data set by Olist (CC BY-NC-SA), which is no part of this repository.
REAL_PAYMENTS = wallet_app.ROOT.parent / "shared/data/olist/olist_order_payments_dataset.csv"
EXPECTED = {"credit_card": 61372991, "boleto": 14892357, "voucher": 1426917, "debit_card": 1257612}


class RealPayments(wallet_app.IntegrationTest):
    def deposit_all(self, app):
        code, output, errors = wallet_app.deposit_all_payments(app.address, REAL_PAYMENTS)
        self.assertEqual(code, 0, output + errors)
        self.assertEqual(wallet_app.balances_in(output), EXPECTED)
        self.assertRegex(errors, r"\.csv:\d+: not deposited: command\.amount_minor must be greater than 0")
        return output

    def test_are_deposited_once_however_often_they_are_sent(self):
        app = self.app()
        self.assertIn("5,159 deposits, 0 repeated, 1 refused", self.deposit_all(app))
        self.assertIn("0 deposits, 5,159 repeated, 1 refused", self.deposit_all(app))
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)


if __name__ == "__main__":
    if not REAL_PAYMENTS.exists():
        wallet_app.skip(f"there is no {REAL_PAYMENTS}")
    wallet_app.main()
