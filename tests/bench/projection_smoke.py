"""The benchmark of projections, with tiny numbers."""
import sys

from bench_checks import check_run

NAMES = [f"rebuild, small{what}" for what in (
    "", ", beside bare upserts", ", beside bare replay and load", ", for a million events", ", memory")]
NAMES += ["a new projection catches up with small"]
NAMES += [f"acknowledged to visible at {rate} a second, {number}" for rate in (1000, 10000) for number in ("p50", "p99")]
NAMES += ["256 callers with a projection that follows, beside none"]

check_run(sys.argv[1], NAMES)
