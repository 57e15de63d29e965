#!/usr/bin/env python3
"""Calls a running wallet app from Python, with stock gRPC tooling and nothing but the .proto files.

  python3 sample-apps/wallet/client.py HOST:PORT WALLET

Opens WALLET if it is new, deposits 25.00, and reads the balance with the receipt's consistency token. Needs Debian's
python3-grpcio, python3-protobuf, protobuf-compiler and protobuf-compiler-grpc.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDES = [ROOT / "proto", ROOT / "sample-apps/wallet/proto"]
PROTOS = [
    "everfold/v1/options.proto",
    "everfold/v1/receipt.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
    "wallet/v1/wallet.proto",
    "wallet/v1/wallet_api.proto",
]


def generate_stubs(folder, more=()):
    """Writes the Python modules of PROTOS, and of what else is asked for, below `folder`, and makes them importable."""
    command = ["protoc", f"--plugin=protoc-gen-grpc_python={shutil.which('grpc_python_plugin')}"]
    command += [f"-I{include}" for include in INCLUDES]
    command += [f"--python_out={folder}", f"--grpc_python_out={folder}"]
    subprocess.run(command + PROTOS + list(more), check=True)
    sys.path.insert(0, str(folder))


def main(address, wallet):
    import grpc
    from wallet.v1 import wallet_api_pb2 as api, wallet_api_pb2_grpc as services, wallet_pb2 as domain

    with grpc.insecure_channel(address) as channel:
        commands = services.WalletCommandServiceStub(channel)
        try:
            commands.OpenWallet(api.OpenWalletRequest(command=domain.OpenWallet(wallet_id=wallet)))
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise
        deposit = domain.Deposit(wallet_id=wallet, amount_minor=2500)
        receipt = commands.Deposit(api.DepositRequest(command=deposit, request_id=str(uuid.uuid4()))).receipt
        print(f"deposited 25.00: {receipt.stream} is at version {receipt.version}")
        query = api.GetWalletBalanceRequest(wallet_id=wallet, consistency_token=receipt.consistency_token)
        row = services.WalletBalanceQueryServiceStub(channel).GetWalletBalance(query).wallet_balance
        print(f"balance of {row.wallet_id}: {row.balance_minor // 100}.{row.balance_minor % 100:02}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        generate_stubs(folder)
        main(*sys.argv[1:])
