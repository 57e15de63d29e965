"""tools/deposit-payments: what it deposits, what it reports, and how it ends."""

import wallet_app

SAMPLE_PAYMENTS = wallet_app.ROOT / "sample-apps/wallet/payments.csv"


class Payments(wallet_app.IntegrationTest):
    def test_the_sample_file(self):
        app = self.app()
        code, output, errors = wallet_app.deposit_all_payments(app.address, SAMPLE_PAYMENTS)
        self.assertEqual(code, 0, output + errors)
        self.assertIn(f"{SAMPLE_PAYMENTS}:5: not deposited: command.amount_minor", errors)
        self.assertIn("5 deposits, 0 repeated, 1 refused", output)
        self.assertEqual(wallet_app.balances_in(output), {"credit_card": 34711, "voucher": 2000, "debit_card": 28413})

    def test_a_file_with_malformed_lines(self):
        app = self.app()
        file = wallet_app.WORK / "malformed.csv"
        file.write_text("order_id,payment_sequential,payment_type,payment_value\n1,1,cash,ten\n2,1,cash,10\n")
        code, output, errors = wallet_app.deposit_all_payments(app.address, file)
        self.assertEqual(code, 1)
        self.assertIn(f"{file}:2: no payment: 'ten' is not an amount", errors)
        self.assertEqual(wallet_app.balances_in(output), {"cash": 1000})

    def test_a_file_that_is_a_folder(self):
        code, _, errors = wallet_app.deposit_all_payments(self.app().address, wallet_app.WORK)
        self.assertEqual(code, 2)
        self.assertEqual(errors, f"{wallet_app.WORK}:1: cannot be read: Is a directory\n")

    def test_a_server_that_is_not_there(self):
        nobody = f"127.0.0.1:{wallet_app.free_port()}"
        code, _, errors = wallet_app.deposit_all_payments(nobody, SAMPLE_PAYMENTS, "--patience", "1")
        self.assertEqual(code, 1)
        self.assertIn("UNAVAILABLE", errors)


if __name__ == "__main__":
    wallet_app.main()
