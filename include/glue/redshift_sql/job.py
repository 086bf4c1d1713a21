"""The job that Glue starts: arguments, the script from S3, the login from Secrets Manager, the run.

Glue hands a job one value for each argument name. The script's own arguments therefore come as one JSON
object, `--params '{"year": "2015", "location": "s3://bucket/raw/"}'`, in StartJobRun's Arguments or in the
job's DefaultArguments. On a command line, `--param year=2015` may be repeated as well.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .login import Login, LoginError
from .runner import Runner, StatementError
from .script import Script
from .text import ScriptError

log = logging.getLogger(__name__)


class SourceError(ValueError):
    """The script cannot be read from S3; one sentence."""


def main(application: str, argv: Sequence[str] | None = None) -> str | None:
    """Run one SQL file.

    Args:
        application: The job's name, by which Redshift knows the connection.
        argv: The arguments; those of the process if None. Unknown ones are Glue's own and are ignored.

    Returns:
        None, or the one line that says what failed: `sys.exit` prints it to stderr and exits with status 1.
    """
    _log_to_stdout()
    options = _options(argv)
    try:
        arguments = _arguments(options.params, options.param)
        script = Script.read(options.file, _source(options.bucket, options.file), arguments)
        login = Login.read(options.db_creds, options.host, options.port)
        connection = login.connect(options.db, application)
        log.info("%s holds %d statements; connected to %s", script.file, len(script.statements), login)
        try:
            Runner(connection, login, script).run(statement_timeout=options.statement_timeout)
        finally:
            connection.close()
    except (ScriptError, SourceError, LoginError, StatementError) as error:
        return str(error)
    return None


def _log_to_stdout() -> None:
    """Only this package's own lines: botocore tells at the same level where it found its credentials."""
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    ours = logging.getLogger(__package__)
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs a file of Redshift SQL.", allow_abbrev=False)
    parser.add_argument("--file", required=True, help="the script's key in the bucket")
    parser.add_argument("--db_creds", required=True, help="name or ARN of the secret with the login")
    parser.add_argument("--db", required=True, help="the database")
    parser.add_argument("--bucket", required=True, help="the bucket of the script")
    parser.add_argument("--host", help="the endpoint's host name, where the secret has none")
    parser.add_argument("--port", type=int, help="its port, where the secret has none")
    parser.add_argument("--params", help="the script's arguments as a JSON object of strings")
    parser.add_argument(
        "--param", action="append", default=[], help="one of the script's arguments, name=value"
    )
    parser.add_argument(
        "--statement_timeout", type=int, default=1200, help="seconds for one statement (default: %(default)s)"
    )
    options, _ = parser.parse_known_args(argv)
    if options.statement_timeout <= 0:
        parser.error("--statement_timeout must be a number of seconds above 0")
    return options


def _arguments(params: str | None, param: Sequence[str]) -> dict[str, str]:
    arguments: dict[str, str] = {}
    if params:
        try:
            given = json.loads(params)
        except ValueError as error:
            raise ScriptError(f"--params is not JSON ({error}): give an object such as {_EXAMPLE}.") from None
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise ScriptError(f"--params is not a JSON object of strings: give an object such as {_EXAMPLE}.")
        arguments.update(given)
    for one in param:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ScriptError("--param is not name=value: give for example --param year=2015.")
        if name in arguments:
            raise ScriptError(f"The argument {name!r} is given twice: give it once.")
        arguments[name] = value
    return arguments


_EXAMPLE = """'{"year": "2015"}'"""


def _source(bucket: str, key: str) -> str:
    try:
        body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise SourceError(
            f"s3://{bucket}/{key} cannot be read: {error} Check --bucket, --file and the job's role."
        ) from None
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"s3://{bucket}/{key} is not UTF-8 text ({error}): save it as UTF-8.") from None
