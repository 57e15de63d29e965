"""What the shop's integration tests share: a shop of their own, and imports into it.

CTest gives the programs by environment: SHOP_APP, IMPORT_OLIST and GENERATE_OLIST beside those of wallet_app.
"""

import contextlib
import os
import re
import sqlite3
import subprocess

import wallet_app

SHOP_APP = os.environ["SHOP_APP"]
IMPORT_OLIST = os.environ["IMPORT_OLIST"]
GENERATE_OLIST = os.environ["GENERATE_OLIST"]

# By Olist (CC BY-NC-SA), which is no part of this repository.
REAL_ORDERS = wallet_app.ROOT.parent / "shared/data/olist"
MALFORMED_ORDERS = wallet_app.ROOT / "tools/import_olist/tests/malformed"
READ_MODELS = [
    "customer_history",
    "order_balance",
    "order_summary",
    "orders_by_status",
    "revenue_by_method",
    "revenue_by_method_day",
    "stock_level",
]


class ShopApp(wallet_app.WalletApp):
    """A shop with a data folder of its own."""

    program = SHOP_APP
    projection = "order_book"

    def __init__(self, name, partitions=16):
        super().__init__(name)
        self.serve_options = ["--partitions", str(partitions)]


class ShopTest(wallet_app.IntegrationTest):
    def shop(self, name=None, partitions=16):
        app = ShopApp(name or self.id().rsplit(".", 1)[-1], partitions)
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        return app.start()

    def import_orders(self, app, directory, expected_code=0):
        """Output and errors of an import that ends with this code."""
        return self.outcome(self.start_import(app, directory), expected_code)

    def start_import(self, app, directory, *arguments):
        command = [IMPORT_OLIST, str(directory), "--address", app.address, *arguments]
        importer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(end, importer)
        return importer

    def outcome(self, importer, expected_code=0):
        output, errors = importer.communicate(timeout=240)
        self.assertEqual(importer.returncode, expected_code, output + errors)
        return output, errors


def end(importer):
    importer.kill()
    importer.communicate()


def wait_for_events(app, enough):
    wallet_app.wait_until(f"{enough} events", lambda: app.events_in_read_model() >= enough)


def generate_orders(name, orders, seed=1):
    """The folder of a generated data set."""
    directory = wallet_app.WORK / name
    numbers = ["--orders", str(orders), "--seed", str(seed)]
    subprocess.run([GENERATE_OLIST, str(directory), "--replace", *numbers], check=True, stdout=subprocess.DEVNULL)
    return directory


def orders_in(output):
    """Orders by status, of the table that an import prints."""
    table = output.split("\norders\n")[1].split("\npayments ")[0]
    return {status: number(count) for status, count in re.findall(r"^  (\w+) +([\d,]+)$", table, re.M)}


def payments_in(output):
    """Payments and captured minor units by method, of the table that an import prints."""
    rows = re.findall(r"^  (\w+) +([\d,]+) +([\d,.]+) BRL +[\d,.]+ BRL$", output, re.M)
    return {method: (number(count), number(amount.replace(".", ""))) for method, count, amount in rows}


def number(text):
    return int(text.replace(",", ""))


def rows_of(app):
    """The rows of every read model, as sorted text; without checkpoints, which differ by the number of partitions. The
    app must be stopped."""
    rows = {}
    for path in app.read_model_files():
        with contextlib.closing(sqlite3.connect(path)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in [table for table in tables if table in READ_MODELS]:
                rows[table] = sorted(repr(row) for row in database.execute(f"SELECT * FROM {table}"))
    return rows
