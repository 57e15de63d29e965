"""Deposits into one wallet, many in flight, with a memory of what was acknowledged."""

import threading

import grpc
from wallet_app import api, domain

WALLET = "busy"
IN_FLIGHT = 64


class Load:
    """The deposits 1, 2, ..., `count`: each adds its own number, under a request_id of its own."""

    def __init__(self, test, count):
        self.test = test
        self.numbers = range(1, count + 1)
        self.acknowledged = {}  # number -> receipt

    def open(self, app):
        app.commands().OpenWallet(
            api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=WALLET), request_id="open")
        )

    def run_until(self, app, more, then):
        """Sends what is not acknowledged; calls `then` after that many more acknowledgements, amid the load."""
        reached = threading.Event()
        enough = len(self.acknowledged) + more
        sender = threading.Thread(target=self._send, args=(app.commands(), enough, reached))
        sender.start()
        self.test.assertTrue(reached.wait(timeout=60), f"fewer than {more} acknowledgements within a minute")
        result = then()
        sender.join()
        return result

    def finish(self, app):
        """Sends everything once more: the server answers what it knows with the first receipt."""
        earlier = dict(self.acknowledged)
        self.acknowledged = {}
        self._send(app.commands(), 0, threading.Event())
        self.test.assertEqual(len(self.acknowledged), len(self.numbers))
        for number, receipt in earlier.items():
            again = self.acknowledged[number]
            self.test.assertTrue(again.repeated, f"deposit {number} was acknowledged and then lost")
            self.test.assertEqual((again.version, again.sequence), (receipt.version, receipt.sequence))

    def expect_balance(self, app):
        """Every deposit is there, once, in the stream and in the read model."""
        newest = max(self.acknowledged.values(), key=lambda receipt: receipt.version)
        self.test.assertEqual(newest.version, 1 + len(self.numbers))
        query = api.GetWalletBalanceRequest(wallet_id=WALLET, consistency_token=newest.consistency_token)
        row = app.queries().GetWalletBalance(query).wallet_balance
        self.test.assertEqual(row.balance_minor, sum(self.numbers))

    def _send(self, commands, enough, reached):
        window = threading.Semaphore(IN_FLIGHT)
        lock = threading.Lock()

        def answered(number, call):
            with lock:
                if call.code() == grpc.StatusCode.OK:
                    self.acknowledged[number] = call.result().receipt
                if len(self.acknowledged) >= enough:
                    reached.set()
            window.release()

        for number in [n for n in self.numbers if n not in self.acknowledged]:
            window.acquire()
            request = api.DepositRequest(
                command=domain.Deposit(wallet_id=WALLET, amount_minor=number), request_id=f"deposit-{number}"
            )
            call = commands.Deposit.future(request, timeout=30)
            call.add_done_callback(lambda done, number=number: answered(number, done))
        for _ in range(IN_FLIGHT):
            window.acquire()
