"""Rows of docs/reference/errors.md that only an operator meets: a process that does not start says why, on stderr and by
its exit code, and changes nothing."""

import base64
import hashlib
import json
import os

import wallet_app
from error_details import ErrorTest

from everfold.v1 import type_description_pb2 as types

DEPOSITED = "wallet.v1.Deposited"
OTHER_FINGERPRINT = b"f" * 32
ADVICE = "see 'restore' and 'salvage'"


class StartErrors(ErrorTest):
    """Each begins with a store that is whole, and stopped."""

    def setUp(self):
        self.wallet = self.app()
        self.open(self.wallet)
        self.deposit(self.wallet, 5)
        self.assertEqual(self.wallet.stop(), 0)

    def expect_refused(self, app, code, *texts, damage_of_the_log=False):
        done = app.run("serve", "--listen", app.address)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertEqual(ADVICE in done.stderr, damage_of_the_log, done.stderr)

    def test_format_unknown_of_read_models(self):
        manifest = self.wallet.data / "read/balances/MANIFEST"
        manifest.write_text("everfold-read-models 3\nwhatever that says\n")
        self.expect_refused(self.wallet, 70, f"{manifest} has format version 3, this program knows 2; run a newer one")
        self.assertEqual(manifest.read_text(), "everfold-read-models 3\nwhatever that says\n")

    def test_format_unknown_of_types(self):
        path = self.wallet.data / "types"
        content = bytearray(path.read_bytes())
        content[4] = 2
        path.write_bytes(content)
        self.expect_refused(self.wallet, 70, f"{path} has format version 2, this program knows 1; run a newer one")

    def test_type_file_damaged(self):
        path = self.wallet.data / "types"
        path.write_bytes(b"damaged")
        self.expect_refused(self.wallet, 74, f"{path}, which describes the types of stored events, is damaged; remove it")
        path.unlink()
        self.wallet.start()
        self.assertEqual(self.deposit(self.wallet, 1).version, 3, "nothing of the log is lost")

    def test_data_loss_of_the_log(self):
        (self.wallet.data / "log/high-water").unlink()
        self.expect_refused(self.wallet, 74, "high-water", damage_of_the_log=True)

    def test_store_locked(self):
        self.wallet.start()
        other = wallet_app.WalletApp("other")
        other.data = self.wallet.data
        self.expect_refused(other, 75, str(self.wallet.process.pid))

    def test_store_mismatch(self):
        done = self.wallet.run("serve", "--listen", self.wallet.address, "--partitions", "3")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("the store was created with 16 partitions and cannot be opened with 3", done.stderr)

    def test_storage_failed(self):
        journal = next((self.wallet.data / "log").glob("journal*/*"), None) or self.wallet.data / "log/journal"
        kept = journal.with_name(journal.name + ".kept")
        os.rename(journal, kept)
        journal.mkdir()
        self.expect_refused(self.wallet, 70, str(journal))
        journal.rmdir()
        os.rename(kept, journal)
        self.wallet.start()
        self.assertEqual(self.deposit(self.wallet, 1).version, 3)

    def test_incompatible_type(self):
        """As after a binary that wrote the amount of a deposit as text."""
        exported = wallet_app.WORK / "incompatible.jsonl"
        self.expect_done(self.wallet.run("export", str(exported)))
        lines = [json.loads(line) for line in exported.read_text().splitlines()]
        for line in lines:
            for stream in line.get("commit", {}).get("streams", []):
                for event in stream["events"]:
                    if event["type"] == DEPOSITED:
                        event["fingerprint"] = base64.b64encode(OTHER_FINGERPRINT).decode()
        exported.write_text("".join(json.dumps(line) + "\n" for line in lines))
        old = wallet_app.WalletApp("incompatible")
        self.expect_done(old.run("import", str(exported)))
        (old.data / "types").write_bytes(self.types_of_other_deposits())
        self.expect_refused(
            old,
            70,
            "the store has events that this binary would misread:\n",
            f"{DEPOSITED}: field 1 of {DEPOSITED} was `string amount_minor` and is `int64 amount_minor`",
            "have the old one upcast to it (upcast_to)",
        )

    def types_of_other_deposits(self):
        descriptions = types.TypeDescriptions.FromString((self.wallet.data / "types").read_bytes()[40:])
        deposited = next(each for each in descriptions.types if each.name == DEPOSITED)
        deposited.fingerprint = OTHER_FINGERPRINT
        amount = deposited.messages[0].fields[0]
        self.assertEqual((amount.number, amount.name, amount.type), (1, "amount_minor", "int64"))
        amount.type = "string"
        content = types.TypeDescriptions(types=[deposited]).SerializeToString()
        return b"EVTY" + bytes([1, 0, 0, 0]) + hashlib.sha256(content).digest() + content


if __name__ == "__main__":
    wallet_app.main()
