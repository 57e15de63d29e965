"""A backup that is made while the app works holds everything that was acknowledged before, and restores."""

import wallet_app
from load import Load


class Backup(wallet_app.IntegrationTest):
    def test_restores_what_was_acknowledged_before_a_backup_under_load(self):
        app = self.app()
        load = Load(self, 6000)
        load.open(app)
        before = {}

        def back_up():
            before.update(load.acknowledged)
            self.expect_done(app.ask("verify"))
            return app.ask("backup", str(self.backups()))

        done = load.run_until(app, 300, back_up)
        self.expect_done(done)
        self.assertRegex(done.stdout, r"^backup 1 holds [\d,]+ events; [\d,]+ bytes were copied in \d+\.\d s\n$")
        self.expect_done(app.ask("verify"))
        load.finish(app)

        self.expect_done(app.ask("backup", str(self.backups())))
        self.assertEqual(app.stop(), 0)

        first = self.restore(1, "first")
        self.expect_known(first, before)
        second = self.restore(2, "second")
        load.finish(second)
        load.expect_balance(second)
        self.assertEqual(second.stop(), 0)
        self.expect_verified(second)

    def test_descriptions_of_types_come_along(self):
        app = self.app()
        Load(self, 1).open(app)
        self.expect_done(app.ask("backup", str(self.backups())))
        types = (app.data / "types").read_bytes()
        self.assertIn(b"wallet.v1.WalletOpened", types)
        self.assertEqual(app.stop(), 0)
        self.assertEqual((self.restore(1, "online").data / "types").read_bytes(), types)

        (self.backups() / "types").unlink()
        self.expect_done(app.run("backup", str(self.backups())))
        self.assertEqual((self.restore(2, "offline").data / "types").read_bytes(), types)

        saved = wallet_app.WalletApp("saved")
        self.expect_done(saved.run("salvage", str(app.data)))
        self.assertEqual((saved.data / "types").read_bytes(), types)

    def test_a_backup_does_not_fail_for_damaged_descriptions_of_types(self):
        app = self.app()
        Load(self, 1).open(app)
        (app.data / "types").write_bytes(b"damaged")
        self.expect_done(app.ask("backup", str(self.backups())))
        self.assertIn("a backup is without descriptions of types", app.log.read_text())
        self.assertEqual(app.stop(), 0)
        done = app.run("backup", str(self.backups()))
        self.expect_done(done)
        self.assertIn("descriptions of event types are left out", done.stderr)
        self.assertFalse((self.backups() / "types").exists())
        restored = self.restore(2, "without_descriptions")
        self.assertIn(b"wallet.v1.WalletOpened", (restored.data / "types").read_bytes(), "it begins anew")

    def test_rebuilds_the_index(self):
        app = self.app()
        load = Load(self, 200)
        load.open(app)
        load.finish(app)
        self.assertEqual(app.stop(), 0)
        done = app.run("rebuild-index")
        self.expect_done(done)
        self.assertEqual(done.stdout, "index: rebuilt from 201 events\n")
        self.expect_done(app.run("verify"))
        app.start()
        load.finish(app)
        load.expect_balance(app)

    def test_restores_nothing_over_a_store(self):
        app = self.app()
        Load(self, 1).open(app)
        self.expect_done(app.ask("backup", str(self.backups())))
        self.assertEqual(app.stop(), 0)
        done = app.run("restore", str(self.backups()))
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not empty", done.stderr)

    def test_no_copy_goes_into_the_data_directory(self):
        app = self.app()
        Load(self, 1).open(app)
        link = wallet_app.WORK / "link-to-data"
        link.symlink_to(app.data)
        self.addCleanup(link.unlink)
        before = sorted(path for path in app.data.iterdir())

        def expect_refused(done, *paths):
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            for path in paths:
                self.assertIn(str(path), done.stderr)

        inside = [app.data, app.data / "backups", link, link / "log" / "backups", link / "new" / ".." / "backups"]
        for directory in inside:
            expect_refused(app.ask("backup", str(directory)), app.data.resolve(), "choose one that is apart")
        expect_refused(app.ask("backup", str(app.data.parent)), app.data.parent.resolve())
        self.assertEqual(app.stop(), 0)
        for directory in inside:
            expect_refused(app.run("backup", str(directory)), app.data.resolve(), "choose one that is apart")
        for file in (app.data / "all.jsonl", link / "read" / "all.jsonl"):
            expect_refused(app.run("export", str(file)), file.resolve(), app.data.resolve(), "choose another place")
        self.assertEqual(sorted(path for path in app.data.iterdir()), before)
        self.expect_done(app.run("export", str(app.data) + "-beside.jsonl"))

    def backups(self):
        return wallet_app.WORK / (self.id().rsplit(".", 1)[-1] + "-backups")

    def restore(self, number, name):
        """An app on a restored store, that serves."""
        restored = wallet_app.WalletApp(name)
        self.addCleanup(restored.close_channel)
        self.addCleanup(lambda: restored.process and restored.kill())
        self.expect_done(restored.run("restore", str(self.backups()), "--backup", str(number)))
        self.expect_done(restored.run("verify"))
        return restored.start()

    def expect_known(self, app, acknowledged):
        """The app answers each of these deposits with its first receipt."""
        self.assertGreaterEqual(len(acknowledged), 300)
        load = Load(self, 0)
        load.numbers = sorted(acknowledged)
        load.acknowledged = dict(acknowledged)
        load.finish(app)


if __name__ == "__main__":
    wallet_app.main()
