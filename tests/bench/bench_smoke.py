"""The benchmark of the store, with tiny numbers."""
import sys

from bench_checks import check_run

LOOPS = [f"append, {n} {kind}{'' if n == 1 else 's'}"
         for kind in ("callback", "thread") for n in (1, 16, 64, 256, 1024)]
LOOPS += ["append, 256 callbacks on 2 executor threads", "append, 1 KiB events, 256 callbacks"]
LOOPS += [f"append, {what}, 256 callbacks" for what in (
    "with a tag", "with a condition on a tag", "with a condition on a tag, against a tag", "with command ids",
    "several streams a commit")]
LOOPS += [f"append, {n} events a commit, 64 callbacks" for n in (8, 64, 512)]
REPLAYS = ["chunks alone", "events visited", "all parsed", "one type in 20 parsed", "one type in 20 against all parsed"]
NAMES = [loop + number for loop in LOOPS for number in ("", ", p50", ", p99", ", CPU")]
NAMES += ["append, 1 callback against a bare sync, p50", "append, 256 callbacks, as soon as the store is open",
          "append, 256 callbacks, when it has read what there is"]
NAMES += ["sustained, " + rest for rest in (
    "256 callbacks", "256 callbacks, what we aim for", "all turns together", "slowest turn",
    "until all is sealed and merged", "p50", "p99", "CPU with sealing and merging", "written a byte appended")]
NAMES += [f"replay, {threads}, {what}" for threads in ("1 thread", "2 threads") for what in REPLAYS]
NAMES += [f"subscription, catch-up, {what}{threads}" for what in ("events visited", "all parsed", "one type in 20 parsed")
          for threads in ("", ", one thread")]
NAMES += [f"subscription, live, {callers}, acknowledged until visited, {number}"
          for callers in ("1 caller", "64 callers") for number in ("p50", "p99")]
NAMES += ["disk, " + rest for rest in (
    "without the journal's ring", "sealed chunks", "index", "written a byte appended, until at rest",
    "the same as the disk counts it", "the journal's ring")]
NAMES += [log + what for log in ("open", "open, a tenth as long") for what in ("", ", slowest", ", files not in memory")]
CALLS = [f"append of {events} event{'' if events == 1 else 's'}, {calls} outstanding{number}"
         for events in (1, 10, 100) for calls in (1, 16, 64, 256) for number in ("", ", p50", ", p99", ", CPU")]
NAMES += [f"{transport}, {what}" for transport in ("TCP", "Unix socket") for what in CALLS + ["read all"]]
NAMES += ["open, against a log a tenth as long"]
NAMES += ["long, " + rest for rest in (
    "most memory", "memory in the second tenth, while caches fill", "memory in the last tenth against the fourth",
    "open", "sealed files", "index files", "disk")]

check_run(sys.argv[1], NAMES, "--long", "--events", "20000")
