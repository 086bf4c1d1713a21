"""How long parsing each DAG takes next to importing Airflow and the operators that it uses.

    .venv/bin/python benchmarks/parse_dags.py [--rounds 5]

Each figure is the median over fresh processes, the two kinds taking turns. Target: a ratio of at most 1.3.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "include"))

from laptop.environment import airflow_environment  # noqa: E402 - the line above makes it importable

IMPORTS = """
import ast, sys
tree = ast.parse(open(sys.argv[1]).read())
wanted = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
exec(compile(ast.Module(wanted, []), "imports", "exec"))
"""
PARSE = """
import runpy, sys
runpy.run_path(sys.argv[1])
"""


def seconds(code: str, dag: Path, environment: dict[str, str]) -> float:
    """Run the code on the DAG file in a fresh process and return its wall time."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(dag)], env=environment, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print one line per DAG."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="processes of each kind (default 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as home:
        environment = airflow_environment(home=Path(home), web_port=1, aws_endpoint="http://127.0.0.1:9")
        environment["PYTHONPATH"] = str(PROJECT / "plugins")
        print(f"{'DAG':<24} {'imports':>10} {'parse':>10} {'ratio':>7}")
        for dag in sorted((PROJECT / "dags").glob("*.py")):
            seconds(PARSE, dag, environment)  # warms the disk cache
            pairs = [
                (seconds(IMPORTS, dag, environment), seconds(PARSE, dag, environment)) for _ in range(rounds)
            ]
            imports, parse = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(f"{dag.stem:<24} {imports:>8.2f} s {parse:>8.2f} s {parse / imports:>7.2f}")


if __name__ == "__main__":
    main()
