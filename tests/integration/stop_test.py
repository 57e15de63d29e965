"""SIGTERM under load: an orderly end, and nothing that was acknowledged is lost."""

import wallet_app
from load import Load


class Stop(wallet_app.IntegrationTest):
    def test_ends_with_0_amid_deposits(self):
        app = self.app()
        load = Load(self, 2000)
        load.open(app)
        self.assertEqual(load.run_until(app, 300, app.stop), 0)
        self.assertLess(len(load.acknowledged), len(load.numbers), "it stopped after the load, not amid it")
        app.start()
        load.finish(app)
        load.expect_balance(app)
        self.assertEqual(app.stop(), 0)
        self.expect_verified(app)

    def test_ends_with_0_when_idle(self):
        self.assertEqual(self.app().stop(), 0)


if __name__ == "__main__":
    wallet_app.main()
