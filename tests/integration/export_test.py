"""What a store holds goes out as JSON Lines, is read by a program that has only the file, and becomes a store again."""

import base64
import json
import subprocess

import grpc
import wallet_app
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from load import WALLET, Load
from wallet_app import api, domain

DEPOSITS = 500


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def commits_in(lines):
    return [line["commit"] for line in lines if "commit" in line]


def decoder_of(lines):
    """A function from type and bytes to a message, made of what the file says of its types."""
    files = descriptor_pb2.FileDescriptorSet()
    (described,) = [line["descriptors"] for line in lines if "descriptors" in line]
    files.ParseFromString(base64.b64decode(described["fileDescriptorSet"]))
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    def decode(name, payload):
        message = factory.GetPrototype(pool.FindMessageTypeByName(name))()
        message.ParseFromString(payload)
        return message

    return decode


class Export(wallet_app.IntegrationTest):
    def test_goes_out_is_read_elsewhere_and_comes_back(self):
        app, load = self.loaded_app()
        file = self.file("whole")
        done = app.run("export", str(file))
        self.expect_done(done)
        self.assertEqual(done.stderr, f"exported {DEPOSITS + 1} commits with {DEPOSITS + 1} events\n")

        lines = lines_of(file)
        self.assertEqual(lines[0]["header"]["application"], "wallet")
        self.assertEqual(lines[-1], {"end": {"commits": f"{DEPOSITS + 1}", "events": f"{DEPOSITS + 1}"}})
        self.assertEqual(self.sum_of(lines), sum(load.numbers))

        imported = wallet_app.WalletApp("imported")
        self.addCleanup(imported.close_channel)
        self.addCleanup(lambda: imported.process and imported.kill())
        done = imported.run("import", str(file), "--partitions", "3")
        self.expect_done(done)
        self.assertEqual(
            done.stdout,
            f"imported {DEPOSITS + 1} commits with {DEPOSITS + 1} events of wallet to {imported.data}\n",
        )
        self.expect_done(imported.run("verify"))
        self.expect_same_but_for_the_header(app, imported)

        imported.start()
        load.finish(imported)  # answers every deposit with its first receipt
        load.expect_balance(imported)
        more = api.DepositRequest(command=domain.Deposit(wallet_id=WALLET, amount_minor=7), request_id="more")
        self.assertEqual(imported.commands().Deposit(more).receipt.version, DEPOSITS + 2)
        self.assertEqual(imported.stop(), 0)
        self.expect_verified(imported)

    def test_goes_through_a_pipe(self):
        app, _ = self.loaded_app()
        piped = wallet_app.WalletApp("piped")
        export = [app.program, "export", "-", "--no-json", "--data", str(app.data)]
        out = subprocess.Popen(export, stdout=subprocess.PIPE)
        into = [piped.program, "import", "-", "--data", str(piped.data)]
        done = subprocess.run(into, stdin=out.stdout, capture_output=True, text=True)
        out.stdout.close()
        self.assertEqual(out.wait(timeout=60), 0)
        self.expect_done(done)
        self.expect_same_but_for_the_header(app, piped)

    def test_makes_no_store_of_a_file_that_is_none(self):
        app, _ = self.loaded_app()
        whole = self.file("to-cut")
        self.expect_done(app.run("export", str(whole)))
        lines = whole.read_text().splitlines(keepends=True)
        again = app.run("export", str(whole))
        self.assertEqual(again.returncode, 2)
        self.assertIn("is there already", again.stderr)

        cut = self.file("cut")
        cut.write_text("".join(lines[:-1]))
        refused = wallet_app.WalletApp("refused")
        done = refused.run("import", str(cut))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"line {len(lines)}: the file ends after {DEPOSITS + 1} commits, without its end", done.stderr)
        self.assertIn(f"{refused.data} is incomplete, delete it", done.stderr)
        served = refused.run("serve", "--listen", refused.address)
        self.assertEqual(served.returncode, 2, served.stderr)
        self.assertIn("an import into it failed, or was interrupted", served.stderr)
        self.assertIn("delete its data directory, and import again", served.stderr)
        self.assertNotIn("salvage", served.stderr)
        self.assertEqual(refused.run("import", str(whole)).returncode, 2)

        # Nothing is made of what does not even begin as an export.
        cut.write_text("# Notes\n")
        nothing = wallet_app.WalletApp("nothing")
        done = nothing.run("import", str(cut))
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 1: ", done.stderr)
        self.assertFalse(nothing.data.exists())

    def test_does_not_disturb_an_app_at_work(self):
        app = self.app()
        file = self.file("at-work")
        done = app.run("export", str(file))
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertFalse(file.exists())
        self.assertEqual(app.run("import", str(file)).returncode, 2)
        self.assertEqual(app.stop(), 0)

    def loaded_app(self):
        """A stopped app with deposits in it, and who made them."""
        app = self.app()
        load = Load(self, DEPOSITS)
        load.open(app)
        load.finish(app)
        too_much = domain.Withdraw(wallet_id=WALLET, amount_minor=10**12)
        with self.assertRaises(grpc.RpcError):
            app.commands().Withdraw(api.WithdrawRequest(command=too_much, request_id="too-much"))
        self.assertEqual(app.stop(), 0)
        return app, load

    def file(self, name):
        return wallet_app.WORK / f"{self.id().rsplit('.', 1)[-1]}-{name}.jsonl"

    def sum_of(self, lines):
        """Of all deposits, decoded from their payloads; what is there for people says the same."""
        decode = decoder_of(lines)
        total = 0
        for commit in commits_in(lines):
            for stream in commit["streams"]:
                self.assertEqual(stream["stream"], f"wallet/{WALLET}")
                for event in stream["events"]:
                    message = decode(event["type"], base64.b64decode(event.get("payload", "")))
                    if event["type"] == "wallet.v1.Deposited":
                        self.assertEqual(event["json"], {"amountMinor": str(message.amount_minor)})
                        total += message.amount_minor
        return total

    def expect_same_but_for_the_header(self, app, other):
        exports = []
        for number, exported in enumerate((app, other)):
            file = self.file(f"compared-{number}")
            self.expect_done(exported.run("export", str(file)))
            exports.append(file.read_text().splitlines()[1:])
        self.assertEqual(exports[0], exports[1])


if __name__ == "__main__":
    wallet_app.main()
