"""The benchmark of commands, with tiny numbers."""
import sys

from bench_checks import check_run

NUMBERS = ("", ", p50", ", p99", ", CPU")
NAMES = ["decide and evolve, beside direct calls"]
NAMES += [f"load, {what}" for what in (
    "from 100 events", "from 10,000 events", "from a snapshot and 10 events", "cached, one of 10,000")]
NAMES += [f"commands, {what}{number}" for number in NUMBERS for what in (
    "cached, 10,000 streams, 256 callers", "the same with request ids", "one hot stream, beside 10,000",
    "a million streams at random", "cached, and two executor threads for each")]
NAMES += [f"{transport}, commands, {calls} outstanding{beside}{number}"
          for transport in ("TCP", "Unix socket") for calls in (1, 16, 64, 256)
          for beside in ("", ", beside an echo that syncs") for number in NUMBERS]
NAMES += [f"{transport}, streamed in batches of 100, beside {what}"
          for transport in ("TCP", "Unix socket") for what in ("callers in process", "256 unary calls")]
NAMES += [f"{transport}, half load, {what}" for transport in ("TCP", "Unix socket") for what in (
    "commands, beside the peak", "p50, beside an echo", "p99, beside an echo",
    "p99, beside 2 x echo + a sync", "a bare sync")]
NAMES += [f"overload, {what}" for what in (
    "3 times what it takes, accepted", "refused", "memory it took", "rate right after it", "over after")]

check_run(sys.argv[1], NAMES)
