"""A payment provider of a test's own, as a process that can be killed. CTest gives the program by environment: FAKE_PSP."""

import json
import os
import signal
import subprocess

import wallet_app
from wallet_app import client

FAKE_PSP = os.environ["FAKE_PSP"]

client.INCLUDES.append(wallet_app.ROOT / "tools/fake_psp/proto")
client.PROTOS[:] = ["psp/v1/psp.proto"]
client.generate_stubs(wallet_app.WORK / "stubs")

from psp.v1 import psp_pb2 as psp  # noqa: E402
from psp.v1 import psp_pb2_grpc as psp_services  # noqa: E402


class FakePsp:
    """With books of its own, on a free port of the loopback interface."""

    def __init__(self, name, *faults):
        self.books = wallet_app.WORK / f"{name}.books.db"
        self.log = wallet_app.WORK / f"{name}.psp.log"
        self.address = f"127.0.0.1:{wallet_app.free_port()}"
        self.faults = faults
        self.process = None

    def launch(self):
        with open(self.log, "ab") as log:
            command = [FAKE_PSP, "serve", "--books", str(self.books), "--listen", self.address, *self.faults]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def start(self):
        """Returns when it serves."""
        self.launch()
        wallet_app.connect(self.process, self.address, "the provider").close()
        if self.process.poll() is not None:
            raise AssertionError(f"the provider ended with {self.process.returncode}:\n{self.log.read_text()}")
        return self

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        """Returns the exit code of an orderly stop."""
        return self._end(signal.SIGTERM)

    def report(self):
        """What is in the books, also while it serves."""
        command = [FAKE_PSP, "report", "--books", str(self.books)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)

    def _end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code
