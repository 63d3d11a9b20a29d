"""What the forecasting peers share: one thread and one core each, CPU seconds, and a loud word for a peer that is missing."""
import os
import resource
import sys

missing = []
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "STAN_NUM_THREADS")


def pin() -> None:
    """For this process and all that it starts; before numpy is imported."""
    for name in THREADS:
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def cpu() -> float:
    """User and system seconds of this process and its finished children."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def skip(peer: str, why: object) -> None:
    if peer in missing:
        return
    missing.append(peer)
    print(f"MISSING PEER {peer}: {why}; its figures are left out", file=sys.stderr)


def exit_status(failures: list) -> int:
    """A missing peer is a failure only where TILLCAST_FAIL_ON_SKIP is set."""
    if missing and os.environ.get("TILLCAST_FAIL_ON_SKIP"):
        failures = failures + [f"missing peers: {', '.join(missing)}"]
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0
