"""What a client in another language can read of an error: google.rpc.Status, in its trailer."""

import wallet_app  # noqa: F401  makes the stubs
from wallet_app import domain

from google.rpc import error_details_pb2, status_pb2

KINDS = [
    error_details_pb2.ErrorInfo,
    error_details_pb2.RetryInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.ResourceInfo,
    domain.InsufficientFunds,
    domain.LimitExceeded,
]


def status_of(error):
    """The google.rpc.Status of an RpcError; None where there is none."""
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    return None if trailer is None else status_pb2.Status.FromString(trailer)


def unpacked(status):
    """The messages of a google.rpc.Status by their short name."""
    found = {}
    for detail in status.details:
        for kind in KINDS:
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found
