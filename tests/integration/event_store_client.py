"""What docs/reference/event-store-service.md shows; event_store_test.py runs it."""

import grpc
from everfold.v1 import event_store_pb2 as store
from everfold.v1 import event_store_pb2_grpc as store_services


def place_order(stub, order, lines):
    """A new stream with its first event. Sent again, it is answered with the first result."""
    placed = store.NewEvent(type="demo.v1.OrderPlaced", payload=lines, tags=["customer:7"])
    stream = store.StreamAppend(stream=f"order/{order}", state=store.STREAM_STATE_NEW, events=[placed])
    return stub.Append(store.AppendRequest(streams=[stream], request_id=f"place-{order}"))


def events_of(stub, stream):
    for response in stub.ReadStream(store.ReadStreamRequest(stream=stream)):
        yield from response.events


def follow(stub, handle, checkpoint=b""):
    """Hands over all events of the type, those that come too, each with the checkpoint behind its batch."""
    query = store.EventQuery(items=[store.QueryItem(types=["demo.v1.OrderPlaced"])])
    start = store.SubscribeRequest.Start(selection=store.EventSelection(query=query), checkpoint=checkpoint)
    for response in stub.Subscribe(iter([store.SubscribeRequest(start=start)])):
        for event in response.events:
            handle(event, response.checkpoint)


def connect(address):
    return store_services.EventStoreServiceStub(grpc.insecure_channel(address))
