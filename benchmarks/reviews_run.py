"""Seconds of a whole reviews_etl run, orchestration included.

    .venv/bin/python benchmarks/reviews_run.py [--reviews 1000000]

Starts everything as `make run` does, on free ports and in a temporary folder, with one day of store sales
beside it, and prints what the run of reviews_etl took, task by task. The target for a million is 60 s.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run once and print the lines about reviews_etl."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=int, default=1_000_000)
    options = parser.parse_args()
    ports = [text for name in ("web", "aws", "wire") for text in (f"--{name}-port", str(free_port()))]
    day = "2003-01-02"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "laptop", "--once", "--folder", folder, "--from", day, "--to", day]
        done = subprocess.run(
            [*command, "--reviews", str(options.reviews), *ports],
            env=os.environ | {"PYTHONPATH": str(PROJECT / "include")},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if "reviews" in line]
    print("\n".join(lines if done.returncode == 0 else [done.stdout]))
    if seconds := re.search(r"reviews_etl .*: success, .* (\d+) s", done.stdout):
        print(f"{options.reviews:,} reviews: {seconds[1]} s, target 60 s for 1,000,000")
    return done.returncode


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
