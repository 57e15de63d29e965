"""Read models can be thrown away: they are built anew from the log, byte for byte."""

import wallet_app
from wallet_app import api, domain, dump_of_read_models


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
