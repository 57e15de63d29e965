"""The table of docs/reference/errors.md, row by row, as a program in another language meets it: what happens to a server
that does its best. error_table_test.py has what callers bring about."""

import contextlib
import os
import queue
import random
import resource
import signal
import sqlite3
import subprocess
import threading

import grpc
import wallet_app
from wallet_app import api, domain

from error_details import Code, ErrorTest, execute_request, status_of
from everfold.v1 import command_service_pb2 as commands
from everfold.v1 import command_service_pb2_grpc as command_services
from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services

TROUBLED_WALLET = os.environ["TROUBLED_WALLET"]
NOISE = random.Random(1).randbytes(500_000)
MAX_COMMANDS = 16  # of the troubled wallet
MAX_QUERIES = 8  # likewise


def forbid_writes(process):
    """No file grows, or is written, beyond its first byte: EFBIG, as from a disk that fails. SIGXFSZ is ignored."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


class TroubledWallet(wallet_app.WalletApp):
    """Gets into trouble when it is told to (troubled_wallet.cc)."""

    obeyed_first = []

    def launch(self):
        with open(self.log, "ab") as log:
            command = [TROUBLED_WALLET, str(self.data), self.address, *self.obeyed_first]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=log, text=True, bufsize=1, restore_signals=False
            )

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.expect("done")

    def expect(self, line):
        answer = self.process.stdout.readline().strip()
        assert answer == line, f"{answer!r} in place of {line!r}:\n{self.log.read_text()}"

    def finish(self):
        """Ends in order."""
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process = None
        return code


class QuietWallet(wallet_app.WalletApp):
    """Survives a limit on the size of files until it finds its store broken; its log would not."""

    def launch(self):
        command = [self.program, "serve", "--data", str(self.data), "--listen", self.address, *self.serve_options]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=null, stderr=null, restore_signals=False)


class Troubles(ErrorTest):
    """What happens to a server that does its best."""

    def setUp(self):
        self.server = self.run_app(TroubledWallet(self.id().rsplit(".", 1)[-1]))
        self.addCleanup(self.close_pipes, self.server.process)
        self.any = command_services.CommandServiceStub(self.server.channel)

    def close_pipes(self, process):
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def hold_a_decision(self):
        """A call whose decision waits, and with it all that comes after it to the same wallet."""
        self.server.tell("hold decisions")
        command = domain.Deposit(wallet_id="w1", amount_minor=1)
        held = self.server.commands().Deposit.future(api.DepositRequest(command=command, request_id="held"))
        self.server.expect("held")
        return held

    def answers_to(self, messages):
        """Sends them on one call. Returns a queue of the answers, as they come; the call ends with the test."""
        items = [
            commands.ExecuteManyRequest.Item(id=id, command=execute_request(message))
            for id, message in enumerate(messages, 1)
        ]
        requests = queue.Queue()
        requests.put(commands.ExecuteManyRequest(items=items))
        call = self.any.ExecuteMany(iter(requests.get, None))
        answers = queue.Queue()

        def read():
            with contextlib.suppress(grpc.RpcError):
                for response in call:
                    for item in response.items:
                        answers.put(item)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(requests.put, None)
        return answers

    def test_a_decider_that_throws(self):
        self.open(self.server)
        self.expect_error(
            Code.INTERNAL,
            "DECIDER_FAILED",
            lambda: self.withdraw(self.server, 13),
            text="Decide(wallet, wallet.v1.Withdraw) threw: thirteen",
        )
        self.assertEqual(self.deposit(self.server, 1).version, 2, "nothing was changed")

    def test_a_business_rule_with_a_code_of_its_own(self):
        self.open(self.server)
        details = self.expect_error(
            Code.OUT_OF_RANGE,
            "COMMAND_REJECTED",
            lambda: self.withdraw(self.server, 15),
            text="wallet/w1: LimitExceeded {room_minor: 14}",
            kinds=["PreconditionFailure", "LimitExceeded"],
        )
        self.assertEqual(details["LimitExceeded"].room_minor, 14)

    def test_more_commands_than_there_is_room_for(self):
        self.open(self.server)
        held = self.hold_a_decision()
        deposit = domain.Deposit(wallet_id="w1", amount_minor=1)
        answers = self.answers_to([deposit] * MAX_COMMANDS)
        refused = answers.get(timeout=30)
        self.assertEqual(refused.id, MAX_COMMANDS, "the others wait")
        text, metadata = "commands under way: 16, the limit", {"limit": "16"}
        self.expect_status(
            refused.error, Code.RESOURCE_EXHAUSTED, "OVERLOADED", text, kinds=["RetryInfo"], metadata=metadata
        )
        self.expect_error(
            Code.RESOURCE_EXHAUSTED,
            "OVERLOADED",
            lambda: self.deposit(self.server, 1),
            text=text,
            kinds=["RetryInfo"],
            metadata=metadata,
        )
        self.server.tell("let go")
        self.assertEqual(held.result(timeout=30).receipt.version, 2)
        # Of those that waited, too many were for one wallet.
        later = [answers.get(timeout=30) for _ in range(MAX_COMMANDS - 1)]
        self.assertEqual(sorted(item.receipt.version for item in later if item.HasField("receipt")), [3, 4, 5])
        for item in later:
            if item.HasField("receipt"):
                continue
            self.expect_status(
                item.error,
                Code.RESOURCE_EXHAUSTED,
                "OVERLOADED",
                "commands that wait for wallet/w1: 3, the limit",
                kinds=["RetryInfo"],
                metadata={"limit": "3"},
            )
        self.assertEqual(self.deposit(self.server, 1).version, 6)

    def test_a_deadline_that_passes_before_the_decision(self):
        self.open(self.server)
        held = self.hold_a_decision()
        error = self.error_of(lambda: self.deposit(self.server, 5, timeout=0.2, request_id="late"))
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.assertIsNone(status_of(error), "the client itself has given up")
        self.server.tell("pass an hour")  # the server counts from when it heard of the command, which may be later
        self.server.tell("let go")
        self.assertEqual(held.result(timeout=30).receipt.version, 2)
        again = self.deposit(self.server, 5, request_id="late")
        self.assertEqual((again.version, again.repeated), (3, False), "it was never decided")

    def test_a_deadline_that_passes_after_the_decision(self):
        self.open(self.server)
        self.server.tell("hold decisions")
        error = self.error_of(lambda: self.deposit(self.server, 5, timeout=0.2, request_id="late"))
        self.server.expect("held")
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.server.tell("let go")
        again = self.deposit(self.server, 5, request_id="late")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_full_disk(self):
        self.open(self.server)
        self.server.tell("fill disk")
        for call in (
            lambda: self.deposit(self.server, 1, request_id="r1"),
            lambda: self.open(self.server, wallet="w2"),
        ):
            self.expect_error(
                Code.RESOURCE_EXHAUSTED,
                "DISK_FULL",
                call,
                text=f"0 bytes are free for the store in {self.server.data}/log, 268435456 are to stay free",
                kinds=["RetryInfo"],
                metadata={"free_bytes": "0", "reserved_bytes": "268435456"},
            )
        self.server.tell("make room")
        receipt = self.deposit(self.server, 1, request_id="r1")
        self.assertEqual((receipt.version, receipt.repeated), (2, False), "nothing was changed")

    def test_an_outcome_that_nobody_knows(self):
        self.open(self.server)
        forbid_writes(self.server.process)
        self.expect_error(
            Code.UNKNOWN,
            "OUTCOME_UNKNOWN",
            lambda: self.deposit(self.server, 5, request_id="r1"),
            text="the append may be durable or not; repeat it with the same request_id after a restart",
            metadata={"request_id": "r1"},
        )
        for call in (lambda: self.deposit(self.server, 5, request_id="r1"), lambda: self.open(self.server, "w2")):
            self.expect_error(
                Code.UNAVAILABLE, "STORE_CLOSED", call, text="the store is closed", kinds=["RetryInfo"]
            )
        self.server.kill()
        self.server.start()
        self.addCleanup(self.close_pipes, self.server.process)
        self.deposit(self.server, 5, request_id="r1")
        again = self.deposit(self.server, 5, request_id="r1")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_server_that_is_closing(self):
        self.open(self.server)
        self.server.tell("close")
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: self.deposit(self.server, 1),
            text="no new commands are taken: shutting down",
            kinds=["RetryInfo"],
        )
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: self.row(self.server),
            text="no new queries are taken",
            kinds=["RetryInfo"],
        )
        stub = store_services.EventStoreServiceStub(self.server.channel)
        append = store.StreamAppend(stream="cart/c1", events=[store.NewEvent(type="demo.v1.Happened")])
        self.expect_error(
            Code.UNAVAILABLE,
            "STORE_CLOSED",
            lambda: stub.Append(store.AppendRequest(streams=[append])),
            text="the store is closed: it is shutting down",
            kinds=["RetryInfo"],
        )
        self.assertEqual(self.server.finish(), 0)

    def test_a_read_model_that_is_behind(self):
        opened = self.open(self.server).consistency_token
        self.row(self.server, token=opened)  # it is in the read model: only what comes now is held
        self.server.tell("hold projection")
        self.deposit(self.server, 1)
        self.server.expect("held")
        token = self.deposit(self.server, 2).consistency_token
        self.expect_error(
            Code.UNAVAILABLE,
            "READ_MODEL_BEHIND",
            lambda: self.row(self.server, token=token),
            text="projection balances has not reached the consistency token; it is 2 events behind",
            kinds=["RetryInfo"],
            metadata={"projection": "balances", "lag_events": "2"},
        )
        error = self.error_of(lambda: self.row(self.server, token=token, timeout=0.2))
        self.assertEqual(error.code(), Code.DEADLINE_EXCEEDED)
        self.server.tell("let go")
        self.assertEqual(self.row(self.server, token=token).balance_minor, 3)

    def test_more_queries_than_there_is_room_for(self):
        self.open(self.server)
        self.server.tell("hold projection")
        token = self.deposit(self.server, 1).consistency_token
        self.server.expect("held")
        query = api.GetWalletBalanceRequest(wallet_id="w1", consistency_token=token)
        answers = queue.Queue()
        calls = [self.server.queries().GetWalletBalance.future(query) for _ in range(MAX_QUERIES + 1)]
        for call in calls:
            call.add_done_callback(answers.put)
        self.expect_error(
            Code.RESOURCE_EXHAUSTED,
            "OVERLOADED",
            answers.get(timeout=60).result,
            text="8 queries are under way, the limit",
            kinds=["RetryInfo"],
            metadata={"limit": "8"},
        )
        self.server.tell("let go")
        balances = [answers.get(timeout=60).result().wallet_balance.balance_minor for _ in range(MAX_QUERIES)]
        self.assertEqual(balances, [1] * MAX_QUERIES, "the others are answered")

    def test_an_event_that_the_read_model_could_not_take_in(self):
        self.open(self.server)
        token = self.deposit(self.server, 17).consistency_token
        self.expect_error(
            Code.FAILED_PRECONDITION,
            "EVENT_PARKED",
            lambda: self.row(self.server, token=token),
            text="the event that consistency_token names could not be handled by projection balances",
            metadata={"projection": "balances"},
        )
        self.assertEqual(self.deposit(self.server, 1).version, 3, "commands go on")


    def test_a_projection_that_an_error_has_stopped(self):
        tokens = []
        for number in range(11):  # ten keys are parked, with more than one event of a hundred
            self.open(self.server, wallet=f"w{number}")
            tokens.append(self.deposit(self.server, 17, wallet=f"w{number}").consistency_token)
        self.expect_error(
            Code.UNAVAILABLE,
            "READ_MODEL_STOPPED",
            lambda: self.row(self.server, wallet="w10", token=tokens[10]),
            text="projection balances has stopped at an error; its status tells which",
            metadata={"projection": "balances"},
            kinds=["RetryInfo"],
        )
        self.assertEqual(self.row(self.server, wallet="w0").balance_minor, 0, "what is there is answered")
        self.assertEqual(self.deposit(self.server, 1).version, 3, "commands go on")

    def test_a_read_model_that_is_built_anew(self):
        self.open(self.server)
        token = self.deposit(self.server, 1).consistency_token
        self.row(self.server, token=token)
        self.assertEqual(self.server.finish(), 0)
        path = self.server.read_model_file("balances")
        path.write_bytes(b"x" * 8192)
        self.server.obeyed_first = ["hold projection"]
        self.server.start()
        self.addCleanup(self.close_pipes, self.server.process)
        self.server.expect("held")
        self.expect_error(
            Code.UNAVAILABLE,
            "READ_MODEL_REBUILDING",
            lambda: self.row(self.server),
            text=f"projection balances is being built anew, 2 events behind, because {path}: SQLite: file is not a database",
            kinds=["RetryInfo"],
            metadata={"projection": "balances", "lag_events": "2"},
        )
        token = self.deposit(self.server, 2).consistency_token
        self.server.tell("let go")
        self.assertEqual(self.row(self.server, token=token).balance_minor, 3)


class BrokenDisks(ErrorTest):
    """The wallet as it is deployed, on files that fail or are damaged."""

    def test_a_store_that_fails_ends_the_process_and_a_repeat_tells_the_outcome(self):
        app = self.run_app(QuietWallet("failing_disk"))
        self.open(app)
        forbid_writes(app.process)
        self.expect_error(
            Code.UNKNOWN,
            "OUTCOME_UNKNOWN",
            lambda: self.deposit(app, 5, request_id="r1"),
            metadata={"request_id": "r1"},
        )
        self.assertEqual(app.process.wait(timeout=30), 70)
        app.process = None
        self.run_app(app)
        self.deposit(app, 5, request_id="r1")
        again = self.deposit(app, 5, request_id="r1")
        self.assertEqual((again.version, again.repeated), (2, True), "it has happened, once")

    def test_a_sealed_file_that_is_damaged(self):
        app = wallet_app.WalletApp("damaged")
        app.serve_options = ["--partitions", "1"]
        self.run_app(app)
        self.open(app)
        # The last block of the file is read by whoever opens the store: that of w1 must not be the last.
        large = store.StreamAppend(stream="demo/1", events=[store.NewEvent(type="demo.v1.Large", payload=NOISE)])
        for _ in range(4):
            store_services.EventStoreServiceStub(app.channel).Append(store.AppendRequest(streams=[large]))
        self.expect_done(app.ask("backup", str(wallet_app.WORK / "damaged-backup")))  # seals
        self.assertEqual(app.stop(), 0)
        chunks = [file for file in (app.data / "log" / "sealed").glob("*.sst") if b"EVCH" in file.read_bytes()]
        self.assertEqual(len(chunks), 1)
        self.flip_a_bit(chunks[0])
        app.start()
        self.expect_error(
            Code.DATA_LOSS,
            "DATA_LOSS",
            lambda: self.deposit(app, 1),
            text=str(chunks[0]),
        )
        self.open(app, wallet="w2")
        self.assertEqual(self.deposit(app, 1, wallet="w2").version, 2, "other streams go on")
        self.assertEqual(app.stop(), 0)
        done = app.run("verify")
        self.assertEqual(done.returncode, 74, done.stdout + done.stderr)

    def test_a_damaged_file_that_a_store_cannot_be_without(self):
        app = self.app("damaged_checkpoint")
        self.open(app)
        self.expect_done(app.ask("backup", str(wallet_app.WORK / "checkpoint-backup")))  # seals
        self.assertEqual(app.stop(), 0)
        for file in (app.data / "log" / "sealed").glob("*.sst"):
            self.flip_a_bit(file)
        done = app.run("verify")
        self.assertEqual(done.returncode, 74, done.stdout + done.stderr)
        self.assertIn(str(app.data), done.stderr)
        self.assertIn("see 'restore' and 'salvage'", done.stderr)

    def test_a_read_model_that_cannot_be_opened(self):
        app = self.app("unopened_read_model")
        self.open(app)
        path = app.read_model_file("balances")
        path.rename(path.with_name("moved"))
        self.expect_error(
            Code.INTERNAL,
            "READ_MODEL_FAILED",
            lambda: self.row(app),
            text="SQLite: unable to open database file (extended code 14)",
        )
        path.with_name("moved").rename(path)
        token = self.deposit(app, 1).consistency_token
        self.assertEqual(self.row(app, token=token).balance_minor, 1)

    def test_a_page_of_a_read_model_that_is_damaged(self):
        app = self.app("damaged_page")
        self.open(app)
        token = self.deposit(app, 5).consistency_token
        self.row(app, token=token)
        self.assertEqual(app.stop(), 0)
        path = app.read_model_file("balances")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            root = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'wallet_balance'").fetchone()[0]
            size = database.execute("PRAGMA page_size").fetchone()[0]
        with open(path, "r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"x" * size)
        app.start()
        self.expect_error(
            Code.DATA_LOSS,
            "READ_MODEL_DAMAGED",
            lambda: self.row(app),
            text="SQLite: database disk image is malformed",
        )
        done = app.ask("projections", "rebuild", "balances")
        self.expect_done(done)
        self.assertEqual(self.row(app).balance_minor, 5)

    def flip_a_bit(self, file):
        """In its first block, of chunks or of a checkpoint."""
        with open(file, "r+b") as opened:
            opened.seek(50)
            byte = opened.read(1)[0]
            opened.seek(50)
            opened.write(bytes([byte ^ 1]))

    def test_many_on_one_call_when_the_server_stops(self):
        app = self.app("stopping")
        requests = queue.Queue()
        self.addCleanup(requests.put, None)
        call = command_services.CommandServiceStub(app.channel).ExecuteMany(iter(requests.get, None))
        item = commands.ExecuteManyRequest.Item(id=1, command=execute_request(domain.OpenWallet(wallet_id="w1")))
        requests.put(commands.ExecuteManyRequest(items=[item]))
        self.assertEqual(next(call).items[0].receipt.version, 1)
        app.process.send_signal(signal.SIGTERM)
        self.expect_error(
            Code.UNAVAILABLE,
            "SHUTTING_DOWN",
            lambda: next(call),
            text="the server is shutting down; what was answered is durable",
            kinds=["RetryInfo"],
        )
        self.assertEqual(app.process.wait(timeout=30), 0)
        app.process = None


if __name__ == "__main__":
    wallet_app.main()
