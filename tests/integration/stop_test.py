"""SIGTERM under load: an orderly end, and nothing that was acknowledged is lost."""

import socket
import time

import grpc
import wallet_app
from load import Load

from everfold.v1 import event_store_pb2 as store_messages
from everfold.v1 import event_store_pb2_grpc as store_services


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

    # The grace for calls under way is ten seconds. A machine at its limits takes some of them for anything.
    def test_does_not_wait_for_clients_that_are_idle(self):
        app = self.app()
        store = store_services.EventStoreServiceStub(app.channel)
        self.assertEqual(store.GetHead(store_messages.GetHeadRequest()).sequence, 0)
        host, port = app.address.split(":")
        with socket.create_connection((host, int(port))) as silent:
            # A client that is connected, and neither reads nor sends from now on.
            silent.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            self.assertTrue(silent.recv(9), "the server has taken the connection")
            self.expect_stops_within(5, app)

    # gRPC polls for ten seconds more after a write that had to wait for the connection, which not all have to: until its
    # library was kept for good, about one stop in six took as long.
    def test_does_not_wait_for_what_has_been_read(self):
        app = self.app()
        event = store_messages.NewEvent(type="demo.v1.Happened", payload=b"x" * 300_000)
        for number in range(60):
            stream = store_messages.StreamAppend(stream=f"large/{number}", events=[event] * 3)
            store = store_services.EventStoreServiceStub(app.channel)
            store.Append(store_messages.AppendRequest(streams=[stream]))
        for _ in range(6):
            store = store_services.EventStoreServiceStub(app.channel)
            responses = list(store.ReadAll(store_messages.ReadAllRequest()))
            self.assertEqual(sum(len(response.events) for response in responses), 180)
            self.expect_stops_within(5, app)
            app.start()

    def test_does_not_wait_for_a_subscriber_that_has_stalled(self):
        app = self.app()
        store = self.stalling_client_of(app)
        start = store_messages.SubscribeRequest(start=store_messages.SubscribeRequest.Start())
        follower = store.Subscribe(iter([start]))
        self.assertTrue(next(follower).events)  # and nothing more is read
        self.expect_stops_within(5, app)

    def test_does_not_wait_for_a_reader_that_has_stalled(self):
        app = self.app()
        store = self.stalling_client_of(app)
        reader = store.ReadAll(store_messages.ReadAllRequest())
        self.assertTrue(next(reader).events)  # and nothing more is read
        self.expect_stops_within(5, app)

    def stalling_client_of(self, app):
        """Of a store with more than is sent to a client that does not read."""
        # A window that does not grow: after 64 KiB that are not read, nothing is sent any more.
        channel = grpc.insecure_channel(app.address, options=[("grpc.http2.bdp_probe", 0)])
        self.addCleanup(channel.close)
        store = store_services.EventStoreServiceStub(channel)
        event = store_messages.NewEvent(type="demo.v1.Happened", payload=b"x" * (1 << 20))
        for number in range(4):
            stream = store_messages.StreamAppend(stream=f"large/{number}", events=[event])
            store.Append(store_messages.AppendRequest(streams=[stream]))
        return store

    def expect_stops_within(self, seconds, app):
        began = time.monotonic()
        self.assertEqual(app.stop(), 0)
        self.assertLess(time.monotonic() - began, seconds)


if __name__ == "__main__":
    wallet_app.main()
