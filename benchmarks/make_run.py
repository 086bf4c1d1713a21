"""Time and memory of `make run ONCE=1` from a clean clone: what a newcomer waits for.

    .venv/bin/python benchmarks/make_run.py

Clones the committed state into a temporary folder, runs the command there and samples the memory of the whole
process tree (PSS: shared pages are counted once). Targets: five minutes, 60 s a DAG run, 5 GiB.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]


def tree_pss(root: psutil.Process) -> int:
    """Return the bytes of the process and all its descendants, and of their sessions' children."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # ended meanwhile
    return total


def main() -> int:
    """Run once and print seconds, the DAG runs' seconds as `make run` printed them, and the memory peak."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        started = time.monotonic()
        run = subprocess.Popen(["make", "run", "ONCE=1"], cwd=clone)
        peak = 0
        stop = threading.Event()

        def sample() -> None:
            nonlocal peak
            root = psutil.Process(run.pid)
            while not stop.wait(0.5):
                try:
                    peak = max(peak, tree_pss(root))
                except psutil.NoSuchProcess:
                    return

        sampler = threading.Thread(target=sample)
        sampler.start()
        status = run.wait()
        stop.set()
        sampler.join()
        print(f"\nmake run ONCE=1 from a clean clone: status {status}, {time.monotonic() - started:.0f} s,")
        print(f"peak memory of all its processes {peak / 1024**3:.2f} GiB (PSS)")
        return status


if __name__ == "__main__":
    sys.exit(main())
