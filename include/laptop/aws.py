"""`python -m laptop.aws`: the `local-aws` of docker compose, furnished as Terraform and the sources would.

Ready, so that its health check passes, once everything is there.
"""

import argparse
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from laptop.furnish import add_source_arguments, furnish, sources
from local_aws.redshift.records import statement_log
from local_aws.server import Server

AWS_PORT, WIRE_PORT = 4599, 5439


def main(arguments: Sequence[str] | None = None) -> int:
    """Run AWS until it is told to stop.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status 0.
    """
    parser = argparse.ArgumentParser(prog="python -m laptop.aws", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the account and its data last")
    parser.add_argument("--ready", type=Path, required=True, help="the file to write when all is there")
    add_source_arguments(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    statement_log.setLevel(logging.INFO)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    options.ready.unlink(missing_ok=True)  # a container that starts again has its old files
    account, furnished = options.folder / "account", options.folder / "furnished"
    if not furnished.exists():
        shutil.rmtree(account, ignore_errors=True)  # one that was killed while it was furnished
    # Every address of the container: which of them other machines reach is docker compose's to say.
    with Server(host="0.0.0.0", port=AWS_PORT, wire_port=WIRE_PORT, data_folder=account) as server:  # noqa: S104
        os.environ["AWS_ENDPOINT_URL"] = server.endpoint_url
        if not furnished.exists():
            console = Console(highlight=False, width=140)
            furnish(sources(options), options.folder / "datasets", console)
            furnished.touch()
        options.ready.touch()
        stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
