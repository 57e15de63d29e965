"""The event store as a program in another language sees it: stock gRPC tooling, and only the .proto files."""

import contextlib
import queue
import threading

import grpc
import wallet_app
from wallet_app import domain, wait_until

import event_store_client
from error_details import status_of, unpacked
from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services


def event(payload=b"x", type="demo.v1.Happened", tags=()):
    return store.NewEvent(type=type, payload=payload, tags=list(tags))


def one(stream, *events, **expectation):
    return store.StreamAppend(stream=stream, events=events or [event()], **expectation)


class Subscriber:
    """Follows the store on a thread of its own."""

    def __init__(self, stub, **start):
        self.requests = queue.Queue()
        self.requests.put(store.SubscribeRequest(start=store.SubscribeRequest.Start(**start)))
        self.events, self.saved, self.checkpoint, self.error = [], [], b"", None
        self.call = stub.Subscribe(iter(self.requests.get, None))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for response in self.call:
                self.events += response.events
                self.checkpoint = response.checkpoint or self.checkpoint
                if response.saved:
                    self.saved.append(response.saved)
        except grpc.RpcError as error:
            self.error = error

    def save(self, checkpoint):
        self.requests.put(store.SubscribeRequest(save=checkpoint))

    def stop(self):
        self.call.cancel()
        self.requests.put(None)
        self.thread.join()

    def payloads(self):
        return [event.payload for event in self.events]


class EventStore(wallet_app.IntegrationTest):
    def setUp(self):
        self.server = self.app()
        self.stub = store_services.EventStoreServiceStub(self.server.channel)

    def append(self, *streams, **request):
        return self.stub.Append(store.AppendRequest(streams=streams, **request))

    def read(self, stream, **part):
        request = store.ReadStreamRequest(stream=stream, **part)
        return [event for response in self.stub.ReadStream(request) for event in response.events]

    def read_all(self, **part):
        return [event for response in self.stub.ReadAll(store.ReadAllRequest(**part)) for event in response.events]

    def expect_error(self, code, reason, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        error = raised.exception
        self.assertEqual(error.code(), code, error.details())
        self.assertEqual(unpacked(status_of(error))["ErrorInfo"].reason, reason)
        return error.details()

    def subscribe(self, **start):
        subscriber = Subscriber(self.stub, **start)
        self.addCleanup(subscriber.stop)
        return subscriber

    def test_appends_with_each_expectation(self):
        self.assertEqual(self.append(one("cart/c1", state=store.STREAM_STATE_NEW)).streams[0].version, 1)
        self.assertEqual(self.append(one("cart/c1", version=1)).streams[0].version, 2)
        self.assertEqual(self.append(one("cart/c1", state=store.STREAM_STATE_EXISTING)).streams[0].version, 3)
        self.assertEqual(self.append(one("cart/c1")).streams[0].version, 4)
        for wrong in ({"state": store.STREAM_STATE_NEW}, {"version": 3}, {"version": 0}):
            text = self.expect_error(
                grpc.StatusCode.ABORTED, "VERSION_CONFLICT", lambda: self.append(one("cart/c1", **wrong))
            )
            self.assertIn("it is at version 4", text)
        self.expect_error(
            grpc.StatusCode.ABORTED,
            "VERSION_CONFLICT",
            lambda: self.append(one("cart/c2", state=store.STREAM_STATE_EXISTING)),
        )
        self.assertEqual(len(self.read("cart/c1")), 4)

    def test_appends_to_several_streams_or_to_none(self):
        self.append(one("cart/c1", event(b"a"), event(b"b")), one("stock/s1", event(b"c")))
        self.expect_error(
            grpc.StatusCode.ABORTED,
            "VERSION_CONFLICT",
            lambda: self.append(one("cart/c1", event(b"d")), one("stock/s1", event(b"e"), version=7)),
        )
        self.assertEqual([e.payload for e in self.read("cart/c1")], [b"a", b"b"])
        self.assertEqual([e.payload for e in self.read("stock/s1")], [b"c"])

    def test_guards_a_boundary_of_tags(self):
        first = self.append(one("seat/1", event(tags=["show:7"]))).sequence
        query = store.EventQuery(items=[store.QueryItem(tags=["show:7"])])
        condition = store.AppendCondition(fail_if_events_match=query, after=first)
        second = self.append(one("seat/2", event(tags=["show:7"])), condition=condition).sequence
        self.expect_error(
            grpc.StatusCode.ABORTED,
            "CONDITION_FAILED",
            lambda: self.append(one("seat/3", event(tags=["show:7"])), condition=condition),
        )
        condition.after = second
        self.append(one("seat/3", event(tags=["show:7"])), condition=condition)
        selected = self.read_all(selection=store.EventSelection(query=query))
        self.assertEqual([e.stream for e in selected], ["seat/1", "seat/2", "seat/3"])

    def test_answers_a_repeat_with_the_first_result(self):
        first = self.append(one("cart/c1"), request_id="r1")
        again = self.append(
            one("cart/c1", state=store.STREAM_STATE_ANY), request_id="r1", metadata=store.EventMetadata(actor="other")
        )
        self.assertFalse(first.repeated)
        self.assertTrue(again.repeated)
        self.assertEqual(again.sequence, first.sequence)
        self.assertEqual(len(self.read("cart/c1")), 1)
        self.expect_error(
            grpc.StatusCode.INVALID_ARGUMENT,
            "IDEMPOTENCY_KEY_REUSED",
            lambda: self.append(one("cart/c1", event(b"other")), request_id="r1"),
        )

    def test_answers_many_appends_over_one_call(self):
        items = [
            store.AppendManyRequest.Item(id=i, append=store.AppendRequest(streams=[one(f"cart/c{i % 10}")]))
            for i in range(1000)
        ]
        items.append(store.AppendManyRequest.Item(id=1000, append=store.AppendRequest(streams=[one("no slash")])))
        requests = [store.AppendManyRequest(items=items[i : i + 100]) for i in range(0, len(items), 100)]
        answers = {a.id: a for response in self.stub.AppendMany(iter(requests)) for a in response.items}
        self.assertEqual(len(answers), 1001)
        self.assertEqual(answers[1000].error.code, grpc.StatusCode.INVALID_ARGUMENT.value[0])
        self.assertEqual(len({a.appended.sequence for a in answers.values() if a.HasField("appended")}), 1000)
        self.assertEqual([e.version for e in self.read("cart/c3")], list(range(1, 101)))

    def test_reads_a_stream_both_ways_and_in_parts(self):
        for i in range(0, 1200, 100):
            self.append(one("cart/c1", *[event(str(i + j).encode()) for j in range(100)]))
        self.assertEqual([e.version for e in self.read("cart/c1")], list(range(1, 1201)))
        self.assertEqual([e.version for e in self.read("cart/c1", backwards=True)], list(range(1200, 0, -1)))
        self.assertEqual([e.version for e in self.read("cart/c1", after=10, upto=13)], [11, 12, 13])
        self.assertEqual([e.version for e in self.read("cart/c1", backwards=True, limit=2)], [1200, 1199])
        self.assertEqual([e.version for e in self.read("cart/c1", backwards=True, after=2, upto=4)], [4, 3])
        self.assertEqual(self.read("cart/none"), [])
        middle = self.read("cart/c1", after=599, limit=1)[0]
        as_of = self.read("cart/c1", as_of=middle.recorded_at)
        self.assertGreaterEqual(len(as_of), 600)

    def test_reads_everything_by_type_and_tag_in_pages(self):
        for i in range(30):
            self.append(one(f"cart/c{i}", event(str(i).encode(), type=f"demo.v1.Type{i % 3}", tags=[f"t:{i % 2}"])))
        query = store.EventQuery(items=[store.QueryItem(types=["demo.v1.Type1"], tags=["t:0"])])
        selected = self.read_all(selection=store.EventSelection(query=query))
        self.assertEqual([int(e.payload) for e in selected], [i for i in range(30) if i % 3 == 1 and i % 2 == 0])
        first = list(self.stub.ReadAll(store.ReadAllRequest(limit=10)))
        rest = self.read_all(checkpoint=first[-1].checkpoint)
        self.assertEqual([int(e.payload) for r in first for e in r.events], list(range(10)))
        self.assertEqual([int(e.payload) for e in rest], list(range(10, 30)))
        newest = self.read_all(backwards=True, limit=3)
        self.assertEqual([int(e.payload) for e in newest], [29, 28, 27])

    def test_follows_what_is_there_and_what_comes(self):
        for i in range(100):
            self.append(one(f"cart/c{i % 7}", event(str(i).encode())))
        follower = self.subscribe()
        for i in range(100, 200):
            self.append(one(f"cart/c{i % 7}", event(str(i).encode())))
        wait_until("all events come", lambda: len(follower.events) >= 200)
        self.assertEqual([int(p) for p in follower.payloads()], list(range(200)))
        sequences = [e.sequence for e in follower.events]
        self.assertEqual(sequences, sorted(sequences))

    def test_a_group_goes_on_where_it_has_saved(self):
        for i in range(10):
            self.append(one("cart/c1", event(str(i).encode())))
        first = self.subscribe(group="mailer", max_events=4)
        wait_until("all events come", lambda: len(first.events) >= 10)
        first.save(first.checkpoint)
        wait_until("the checkpoint is saved", lambda: first.saved)
        first.stop()
        self.append(one("cart/c1", event(b"10")))
        second = self.subscribe(group="mailer")
        wait_until("what was not handled comes", lambda: second.events)
        self.assertEqual(second.payloads(), [b"10"])

    def test_only_one_of_two_readers_of_a_group_can_save(self):
        self.append(one("cart/c1"))
        readers = [self.subscribe(group="mailer"), self.subscribe(group="mailer")]
        for reader in readers:
            wait_until("all events come", lambda reader=reader: len(reader.events) >= 1)
        readers[0].save(readers[0].checkpoint)
        wait_until("the checkpoint is saved", lambda: readers[0].saved)
        self.append(one("cart/c1"))
        wait_until("the next event comes", lambda: len(readers[1].events) >= 2)
        readers[1].save(readers[1].checkpoint)
        wait_until("the other reader is told", lambda: readers[1].error)
        self.assertEqual(readers[1].error.code(), grpc.StatusCode.ABORTED)

    def test_refuses_what_deciders_have_not_decided(self):
        self.expect_error(
            grpc.StatusCode.PERMISSION_DENIED, "AGGREGATE_REGISTERED", lambda: self.append(one("wallet/w1"))
        )
        self.expect_error(
            grpc.StatusCode.PERMISSION_DENIED, "RESERVED_NAME", lambda: self.append(one("$group/mailer"))
        )
        self.expect_error(
            grpc.StatusCode.PERMISSION_DENIED,
            "AGGREGATE_REGISTERED",
            lambda: self.append(one("pay/w1", event(type="wallet.v1.WalletOpened"))),
        )
        self.expect_error(
            grpc.StatusCode.PERMISSION_DENIED,
            "AGGREGATE_REGISTERED",
            lambda: self.append(one("pay/w1"), request_id="r1", request_type="wallet.v1.Deposit"),
        )
        self.assertEqual(self.read("wallet/w1"), [])
        self.assertEqual(self.read("pay/w1"), [])

    def test_reads_large_events_and_large_metadata_in_responses_that_a_client_takes(self):
        metadata = store.EventMetadata(actor="x" * 16000)
        self.append(one("meta/1", *[event()] * 1000), metadata=metadata)
        for i in range(8):
            self.append(one("large/1", event(b"x" * (1 << 20))))
        self.assertEqual(len(self.read("meta/1")), 1000)
        self.assertEqual(len(self.read_all()), 1008)
        self.assertEqual(len(self.read_all(backwards=True, limit=2000)), 1008)
        follower = self.subscribe(max_events=10000)
        wait_until("all events come", lambda: len(follower.events) >= 1008 or follower.error)
        self.assertIsNone(follower.error)

    def test_refuses_bad_input_with_limit_and_value(self):
        refused = [
            (one("cart/" + "x" * 201), "200"),
            (one("cart/a\nb"), "printable"),
            (one("Cart/c1"), "Cart"),
            (one("cart/c1", event(type="")), "type"),
            (one("cart/c1", event(type="x" * 501)), "500"),
            (one("cart/c1", event(tags=["t"] * 21)), "20"),
            (one("cart/c1", event(tags=["x" * 201])), "200"),
            (one("cart/c1", event(b"x" * ((1 << 20) + 1))), "1048576"),
            (one("cart/c1", *[event()] * 1001), "1000"),
        ]
        for stream, text in refused:
            with self.assertRaises(grpc.RpcError) as raised:
                self.append(stream)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertIn(text, raised.exception.details())
        for call in (
            lambda: self.append(),
            lambda: self.read("none"),
            lambda: self.read_all(checkpoint=b"made up"),
            lambda: self.read_all(backwards=True, limit=10001),
        ):
            with self.assertRaises(grpc.RpcError) as raised:
                call()
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.stub.GetHead(store.GetHeadRequest()).sequence, 0)

    def test_refuses_bytes_that_are_no_request(self):
        service = "/everfold.v1.EventStoreService/"
        channel = self.server.channel
        for method, call in (
            ("ReadStreamRequest", lambda: channel.unary_stream(service + "ReadStream")(b"\xff")),
            ("ReadAllRequest", lambda: channel.unary_stream(service + "ReadAll")(b"\x0a")),
            ("SubscribeRequest", lambda: channel.stream_stream(service + "Subscribe")(iter([b"\xff"]))),
        ):
            with self.assertRaises(grpc.RpcError) as raised:
                list(call())
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertIn("everfold.v1." + method, raised.exception.details())
            self.assertEqual(unpacked(status_of(raised.exception))["ErrorInfo"].reason, "REQUEST_INVALID")

    def test_the_client_of_the_reference_works(self):
        stub = event_store_client.connect(self.server.address)
        placed = event_store_client.place_order(stub, 17, b"two chairs")
        self.assertEqual(placed.streams[0].version, 1)
        again = event_store_client.place_order(stub, 17, b"two chairs")
        self.assertTrue(again.repeated)
        self.assertEqual([e.payload for e in event_store_client.events_of(stub, "order/17")], [b"two chairs"])
        self.append(one("order/17", event()))
        handled = queue.Queue()

        def follow():
            with contextlib.suppress(grpc.RpcError):  # when the server stops
                event_store_client.follow(stub, lambda *event: handled.put(event))

        threading.Thread(target=follow, daemon=True).start()
        event_store_client.place_order(stub, 18, b"a table")
        got = [handled.get(timeout=30) for _ in range(2)]
        self.assertEqual([event.payload for event, _ in got], [b"two chairs", b"a table"])
        self.assertTrue(all(checkpoint for _, checkpoint in got))

    def test_tells_head_and_stats(self):
        self.append(one("cart/c1", event(), event()))
        head = self.stub.GetHead(store.GetHeadRequest())
        self.assertEqual((head.sequence, sum(head.offsets)), (1, 2))
        stats = self.stub.GetStats(store.GetStatsRequest())
        self.assertEqual((stats.events, stats.commits, stats.partitions), (2, 1, len(head.offsets)))
        self.assertEqual(stats.types, 1)
        self.assertEqual(self.read_all(checkpoint=head.checkpoint), [])

    def test_sees_the_events_of_commands(self):
        self.server.commands().OpenWallet(
            wallet_app.api.OpenWalletRequest(command=domain.OpenWallet(wallet_id="w1"), request_id="r1")
        )
        opened = self.read("wallet/w1")[0]
        self.assertEqual((opened.type, opened.version, opened.request_id), ("wallet.v1.WalletOpened", 1, "r1"))
        domain.WalletOpened.FromString(opened.payload)

    def test_ends_calls_without_an_end_when_it_stops(self):
        requests = queue.Queue()
        self.addCleanup(requests.put, None)
        appender = self.stub.AppendMany(iter(requests.get, None))
        item = store.AppendManyRequest.Item(id=1, append=store.AppendRequest(streams=[one("cart/c2")]))
        requests.put(store.AppendManyRequest(items=[item]))
        self.assertEqual(next(appender).items[0].id, 1)
        follower = self.subscribe()
        self.append(one("cart/c1"))
        wait_until("the event comes", lambda: follower.events)
        self.assertEqual(self.server.stop(), 0)
        wait_until("the subscription ends", lambda: follower.error)
        self.assertEqual(follower.error.code(), grpc.StatusCode.UNAVAILABLE)
        with self.assertRaises(grpc.RpcError) as raised:
            next(appender)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("shutting down", raised.exception.details())


if __name__ == "__main__":
    wallet_app.main()
