"""The benchmark of processes, with tiny numbers."""
import sys

from bench_checks import check_run

NAMES = ["timers set", "memory with 2000 timers pending", "restart with 2000 timers pending", "timers fired",
         "commits of fulfilments, 1000 orders under way", "orders fulfilled",
         "an order from placed to completed, p50", "an order from placed to completed, p99", "CPU of a commit"]

check_run(sys.argv[1], NAMES)
