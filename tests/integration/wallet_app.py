"""What the integration tests share: a wallet app of their own, and Python stubs made from the .proto files.

CTest gives the programs by environment: WALLET_APP and DEPOSIT_PAYMENTS. A test that cannot run says why and ends with
SKIPPED, which CTest reports as skipped.
"""

import atexit
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


try:
    import grpc
except ImportError:
    skip("Python's gRPC is not installed (Debian: python3-grpcio python3-protobuf)")

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sample-apps/wallet"))
import client  # noqa: E402

WALLET_APP = os.environ["WALLET_APP"]
DEPOSIT_PAYMENTS = os.environ["DEPOSIT_PAYMENTS"]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="everfold-test-"))
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
(WORK / "stubs").mkdir()
client.generate_stubs(WORK / "stubs", more=["everfold/v1/command_service.proto", "everfold/v1/event_store.proto",
                                            "everfold/v1/query_service.proto", "everfold/v1/type_description.proto"])

from wallet.v1 import wallet_api_pb2 as api  # noqa: E402
from wallet.v1 import wallet_api_pb2_grpc as services  # noqa: E402
from wallet.v1 import wallet_pb2 as domain  # noqa: E402


def wait_until(what, condition, seconds=30):
    """Polls `condition` until it holds; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


def free_port():
    """A port to listen on, and again after a restart.

    None that the system hands out by itself (Linux: from 32768 up): it could be a client's in the meantime.
    """
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
            probe.bind(("127.0.0.1", port))
            return port


def connect(process, address, what):
    """A channel to `address`, once `process` serves there or has ended.

    Its connection is its own: gRPC otherwise lends it one that another channel of this test has to the process that
    was there before, and when that turns out to be dead, the future does not ask for another.
    """
    channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
    connected = grpc.channel_ready_future(channel)
    wait_until(f"{what} serves", lambda: connected.done() or process.poll() is not None)
    return channel


class WalletApp:
    """A server with a data folder of its own, on a free port of the loopback interface."""

    program = WALLET_APP
    serve_options = []
    projection = "balances"

    def __init__(self, name):
        self.data = WORK / name
        self.log = WORK / f"{name}.log"
        self.address = f"127.0.0.1:{free_port()}"
        self.process = None
        self.channel = None

    def start(self):
        """Returns when it serves."""
        self.launch()
        # A new channel each time: an old one waits before it tries to connect again.
        self.close_channel()
        self.channel = connect(self.process, self.address, "the app")
        self.expect_running()
        return self

    def launch(self):
        with open(self.log, "ab") as log:
            command = [self.program, "serve", "--data", str(self.data), "--listen", self.address, *self.serve_options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def expect_running(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the app ended with {self.process.returncode}:\n{self.log.read_text()}")

    def kill(self):
        """As a power cut for the process: nothing is flushed or closed."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Returns the exit code of an orderly stop."""
        return self._end(signal.SIGTERM)

    def close_channel(self):
        if self.channel:
            self.channel.close()
            self.channel = None

    def _end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def run(self, *arguments, seconds=60):
        """A built-in command of the app on the data folder, while it is stopped."""
        command = [self.program, *arguments, "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)

    def ask(self, *arguments):
        """A built-in command that asks the app while it runs."""
        command = [self.program, *arguments, "--address", self.address]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def commands(self):
        return services.WalletCommandServiceStub(self.channel)

    def queries(self):
        return services.WalletBalanceQueryServiceStub(self.channel)

    def events_in_read_model(self):
        """As many as are committed, also while the app runs; 0 where that cannot be told just now."""
        try:
            file = f"file:{self.read_model_file(self.projection)}?mode=ro"
            with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
                return database.execute('SELECT coalesce(sum("offset"), 0) FROM everfold_checkpoint').fetchone()[0]
        except (sqlite3.OperationalError, FileNotFoundError):
            return 0

    def read_model_file(self, projection):
        """The version that is queried, as the manifest names it."""
        folder = self.data / "read" / projection
        version = re.search(r"^current (\d+)$", (folder / "MANIFEST").read_text(), re.M)[1]
        return folder / f"{version}.db"

    def read_model_files(self):
        """Those that are queried."""
        names = sorted(manifest.parent.name for manifest in (self.data / "read").glob("*/MANIFEST"))
        return [path for path in map(self.read_model_file, names) if path.exists()]


def deposit_payments(address, file, *arguments):
    """A running depositor."""
    command = [DEPOSIT_PAYMENTS, str(file), "--address", address, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def deposit_all_payments(address, file, *arguments):
    """A depositor that has ended: its exit code, its output, and its errors."""
    depositor = deposit_payments(address, file, *arguments)
    output, errors = depositor.communicate(timeout=240)
    return depositor.returncode, output, errors


def balances_in(output):
    """The table that a depositor prints, in minor units."""
    return {wallet: int(amount.replace(".", "")) for wallet, amount in re.findall(r"^(\w+) +(-?\d+\.\d\d)$", output, re.M)}


def dump_of_read_models(app):
    """Everything in the read models that are queried, by projection, as sorted SQL; without how far they have read beyond
    what they want: an app with reactors appends while it closes. The app must be stopped."""
    dumps = {}
    for path in app.read_model_files():
        with contextlib.closing(sqlite3.connect(path)) as database:
            lines = [line for line in database.iterdump() if not line.startswith('INSERT INTO "everfold_checkpoint"')]
            dumps[path.parent.name] = sorted(lines)
    return dumps


class IntegrationTest(unittest.TestCase):
    def app(self, name=None):
        app = WalletApp(name or self.id().rsplit(".", 1)[-1])
        self.addCleanup(app.close_channel)
        self.addCleanup(lambda: app.process and app.kill())
        return app.start()

    def expect_verified(self, app, seconds=60):
        """The log is whole, and the read models are what a fold of it gives. The app must be stopped."""
        self.expect_done(app.run("verify", seconds=seconds))
        before = dump_of_read_models(app)
        self.expect_done(app.run("rebuild", seconds=seconds))
        self.assertEqual(dump_of_read_models(app), before)

    def expect_done(self, process):
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)


def main():
    unittest.main(verbosity=2)
