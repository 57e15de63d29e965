"""The payment provider as a process: its books hold what it has answered, once, across kill -9 and lost answers."""

import collections
import concurrent.futures
import threading

import grpc
import wallet_app
from fake_psp import FakePsp, psp, psp_services

PAYMENTS = 200


class Caller:
    """Takes payments through authorization, capture and refund or release; asks again until it is answered."""

    def __init__(self, address):
        self.address = address
        self.sums = collections.Counter()
        self.lock = threading.Lock()
        self.answered = 0

    def take(self, number):
        with grpc.insecure_channel(self.address) as channel:
            minor = 100 + number
            stub = psp_services.PaymentProviderStub(channel)
            request = psp.AuthorizeRequest(key=f"{number}:authorize", reference=f"o{number}", token="card",
                                           amount=psp.Amount(currency="BRL", minor=minor))
            authorized = self.answer_of(stub.Authorize, request)
            if authorized.state == psp.OPERATION_STATE_DECLINED:
                return
            self.add("authorized", minor)
            payment = authorized.payment
            if number % 3 == 0:
                self.answer_of(stub.Release, psp.ReleaseRequest(key=f"{number}:release", payment=payment))
                self.add("released", minor)
                return
            amount = psp.Amount(currency="BRL", minor=minor)
            self.answer_of(stub.Capture, psp.CaptureRequest(key=f"{number}:capture", payment=payment, amount=amount))
            self.add("captured", minor)
            if number % 3 == 1:
                self.answer_of(stub.Refund, psp.RefundRequest(key=f"{number}:refund", payment=payment, amount=amount))
                self.add("refunded", minor)

    def answer_of(self, method, request):
        while True:
            try:
                operation = method(request, timeout=1, wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    continue
                raise
            if operation.state != psp.OPERATION_STATE_PENDING:
                with self.lock:
                    self.answered += 1
                return operation

    def add(self, what, minor):
        with self.lock:
            self.sums[what] += minor


class FakePspTest(wallet_app.IntegrationTest):
    def provider(self, *faults):
        provider = FakePsp(self.id().rsplit(".", 1)[-1], *faults)
        self.addCleanup(lambda: provider.process and provider.kill())
        return provider.start()

    def test_keeps_its_books_across_kills_and_lost_answers(self):
        shares = ["--drop-request", "0.1", "--drop-answer", "0.1", "--hang", "0.1", "--delay", "0.1", "--twice", "0.1",
                  "--decline", "0.1", "--pending", "0.1", "--most-delay-ms", "50", "--seed", "7"]
        provider = self.provider(*shares)
        caller = Caller(provider.address)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            payments = [pool.submit(caller.take, number) for number in range(PAYMENTS)]
            for enough in (50, 150, 250):
                wallet_app.wait_until(f"{enough} answers", lambda: caller.answered >= enough, 60)
                provider.kill()
                provider.start()
            for payment in payments:
                payment.result(timeout=120)
        self.assertEqual(provider.stop(), 0)
        report = provider.report()
        (totals,) = report["totals"]
        self.assertEqual({verb: int(totals[f"{verb}_minor"]) for verb in caller.sums}, dict(caller.sums))
        self.assertEqual(len(report["payments"]), PAYMENTS, "an order has one payment")
        declined = [book for book in report["payments"] if book["authorized_minor"] == "0"]
        self.assertTrue(0 < len(declined) < PAYMENTS / 2)

    def test_tells_what_it_cannot_open(self):
        provider = FakePsp("nowhere")
        provider.books = wallet_app.WORK / "no-such-folder" / "books.db"
        provider.launch()
        self.assertEqual(provider.process.wait(timeout=30), 1)
        self.assertIn("unable to open database file", provider.log.read_text())


if __name__ == "__main__":
    wallet_app.main()
