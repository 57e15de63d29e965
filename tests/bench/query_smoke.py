"""The benchmark of queries, with tiny numbers."""
import sys

from bench_checks import check_run

NUMBERS = ("", ", p50", ", p99", ", CPU")
NAMES = [f"{transport}, {what}, {calls} outstanding{number}"
         for transport in ("TCP", "Unix socket") for what in ("Get", "List of 100", "List of 100 by an index")
         for calls in (1, 16, 64, 256) for number in NUMBERS]

check_run(sys.argv[1], NAMES)
