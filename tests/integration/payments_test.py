"""tools/deposit-payments: what it deposits, what it reports, and how it ends."""

import wallet_app

SAMPLE_PAYMENTS = wallet_app.ROOT / "sample-apps/wallet/payments.csv"


class Payments(wallet_app.IntegrationTest):
    def test_the_sample_file(self):
        app = self.app()
        depositor = wallet_app.deposit_payments(app.address, SAMPLE_PAYMENTS)
        output, errors = depositor.communicate(timeout=60)
        self.assertEqual(depositor.returncode, 0, output + errors)
        self.assertIn(f"{SAMPLE_PAYMENTS}:5: not deposited: command.amount_minor", errors)
        self.assertIn("5 deposits, 0 repeated, 1 refused", output)
        self.assertEqual(wallet_app.balances_in(output), {"credit_card": 34711, "voucher": 2000, "debit_card": 28413})

    def test_a_file_with_malformed_lines(self):
        app = self.app()
        file = wallet_app.WORK / "malformed.csv"
        file.write_text("order_id,payment_sequential,payment_type,payment_value\n1,1,cash,ten\n2,1,cash,10\n")
        depositor = wallet_app.deposit_payments(app.address, file)
        output, errors = depositor.communicate(timeout=60)
        self.assertEqual(depositor.returncode, 1)
        self.assertIn(f"{file}:2: no payment: 'ten' is not an amount", errors)
        self.assertEqual(wallet_app.balances_in(output), {"cash": 1000})

    def test_a_server_that_is_not_there(self):
        depositor = wallet_app.deposit_payments(
            f"127.0.0.1:{wallet_app.free_port()}", SAMPLE_PAYMENTS, "--patience", "1"
        )
        _, errors = depositor.communicate(timeout=60)
        self.assertEqual(depositor.returncode, 1)
        self.assertIn("UNAVAILABLE", errors)


if __name__ == "__main__":
    wallet_app.main()
