"""`python -m local_aws`: runs the account until Ctrl-C."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from local_aws import VERSION
from local_aws.clusters import CLUSTER_IDENTIFIER, DATABASE, MASTER_USER, REGION, SECRET_NAME
from local_aws.durability import DataFolderError
from local_aws.redshift.records import statement_log
from local_aws.server import PortTakenError, Server
from local_aws.web_pages import is_loopback

_DESCRIPTION = """AWS on this machine: a Redshift that really runs SQL (Data API, and PostgreSQL's protocol
with --wire-port) in front of moto, which plays S3, Glue, Secrets Manager, SNS, SQS and the rest.
It starts with one empty cluster, or with nothing at all (--empty), and keeps everything in memory: what is
stored is gone when it stops, unless --data-dir names a folder for it."""


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local_aws",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=4599, help="port of AWS's HTTP interface (default: %(default)s)"
    )
    parser.add_argument(
        "--wire-port",
        type=_port,
        help="port for psql, redshift_connector and the like, usually 5439 (default: none)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--allow-remote", action="store_true", help="let --host be an address that other machines reach"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="folder in which the account outlives this process, also one that is killed (default: none)",
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="for tests: let calls and statements fail (/_local/faults), tell statements, take a reset",
    )
    parser.add_argument(
        "--empty", action="store_true", help="start without a cluster, as a new account: for Terraform"
    )
    parser.add_argument(
        "--airflow-url",
        help="an Airflow that runs: MWAA's InvokeRestApi reaches it as any environment's (default: none)",
    )
    parser.add_argument("--quiet", action="store_true", help="log no line for each statement")
    parser.add_argument("--version", action="version", version=VERSION)
    arguments = parser.parse_args(argv)
    if not arguments.allow_remote and not is_loopback(arguments.host):
        parser.exit(
            2,
            f"--host {arguments.host} is not a loopback address and whoever reaches it can use this account; "
            "add --allow-remote if that is what you want.\n",
        )
    return arguments


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port number (0 to 65535; 0 takes a free one)")
    return int(text)


def _how_to_connect(server: Server, host: str, *, empty: bool) -> str:
    lines = [
        f"AWS is ready at {server.endpoint_url} (Ctrl-C stops it). To use it:",
        "",
        f"  export AWS_ENDPOINT_URL={server.endpoint_url} AWS_DEFAULT_REGION={REGION}",
        "  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local",
        *([] if empty else _how_to_query(server, host)),
        "",
    ]
    return "\n".join(lines)


def _how_to_query(server: Server, host: str) -> list[str]:
    lines = [
        f"  aws redshift-data execute-statement --cluster-identifier {CLUSTER_IDENTIFIER} \\",
        f'      --database {DATABASE} --db-user {MASTER_USER} --sql "select 1"',
    ]
    if server.wire_port is not None:
        lines += [
            f"  PGPASSWORD=$(aws secretsmanager get-secret-value --secret-id {SECRET_NAME} \\",
            "      --query SecretString --output text \\",
            "      | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"password\"])') \\",
            f"      psql -h {host} -p {server.wire_port} -U {MASTER_USER} {DATABASE}",
        ]
    return lines


def main(argv: list[str] | None = None) -> int:
    """Runs the server until it is told to stop.

    Args:
        argv: The command line, without the program's name.

    Returns:
        The exit status: 0, or 1 if a port is taken or the data folder cannot be used.
    """
    arguments = _arguments(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    statement_log.setLevel(logging.WARNING if arguments.quiet else logging.INFO)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server = Server(
        host=arguments.host,
        port=arguments.port,
        wire_port=arguments.wire_port,
        empty=arguments.empty,
        airflow_url=arguments.airflow_url,
        faults=arguments.faults,
        data_folder=arguments.data_dir,
    )
    try:
        server.start()
    except (PortTakenError, DataFolderError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(_how_to_connect(server, arguments.host, empty=arguments.empty))
    sys.stdout.flush()
    stopping.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
