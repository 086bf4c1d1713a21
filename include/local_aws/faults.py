"""Faults on request: AWS calls that fail, dawdle or lose their answer, and statements that fail or dawdle.

A test asks for them at /_local/faults. What they are, and whether an occurrence is hit, is decided here;
`fault_injection` carries it out for HTTP requests, a warehouse for statements.
"""

from __future__ import annotations

import json
import random
import re
import threading
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model

from local_aws.redshift import RedshiftError, Session
from local_aws.request_action import model_name

# Of this service an action may also be a pattern of statements.
REDSHIFT = "redshift"
# https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
_CONFLICT = re.compile(r"\b(1023|1018)\b|serializable isolation|deadlock", re.IGNORECASE)


class BadFaultError(ValueError):
    """A fault cannot be meant so; one sentence."""


@dataclass
class Fault:
    """What shall go wrong, and where.

    Attributes:
        service: As IAM policies write it, for example "redshift-data" or "s3".
        action: A regular expression. It matches a whole operation name, for example "ExecuteStatement" or
            "Get.*"; of the service "redshift", where it is no operation's name, it is searched for in the
            text and the name of each statement.
        error: An error code, or an HTTP status from 500 on; of a statement, Redshift's message. The action
            is not done.
        delay: Seconds before the action is done, or refused if there is an error too.
        drop_response: The action is done and the connection then closed without an answer.
        times: How often at most; None is always.
        probability: The share of the occurrences that are hit, from 0 to 1.
        seed: Of the random numbers that choose them.
        hits: How often it has struck.
    """

    service: str
    action: str
    error: str | None = None
    delay: float = 0.0
    drop_response: bool = False
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    hits: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begins its random numbers."""
        self._random = random.Random(self.seed)

    @property
    def is_of_statements(self) -> bool:
        """Whether it strikes statements rather than HTTP requests."""
        return self.service == REDSHIFT and not _operations_matching(self.service, self.action)

    def strikes(self) -> bool:
        """Whether an occurrence that it matches is hit; counts it."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self._random.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The fault as JSON."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


class Faults:
    """All that is asked for; of several that match an occurrence, the first that strikes is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, content: bytes) -> Fault:
        """Asks for a fault.

        Args:
            content: A JSON object with the members of `Fault`, but for `hits`.

        Raises:
            BadFaultError: It cannot be meant so.
        """
        fault = _parse(content)
        with self._lock:
            self._faults.append(fault)
        return fault

    def shown(self) -> list[dict[str, Any]]:
        """Every fault with its hits."""
        with self._lock:
            return [fault.shown() for fault in self._faults]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def of_request(self, service: str, operation: str) -> Fault | None:
        """The fault that strikes an HTTP request."""
        with self._lock:
            for fault in self._faults:
                if fault.service == service and re.fullmatch(fault.action, operation) and fault.strikes():
                    return fault
        return None

    def of_statement(self, name: str, text: str) -> Fault | None:
        """The fault that strikes a statement."""
        with self._lock:
            for fault in self._faults:
                if fault.is_of_statements and _found(fault.action, name, text) and fault.strikes():
                    return fault
        return None

    def strike_statement(self, session: Session, text: str) -> None:
        """Called by a session that is about to run a statement, its locks taken.

        Args:
            session: It waits there as long as the fault says, unless it is cancelled.
            text: The statement, its parameters bound.

        Raises:
            RedshiftError: The fault's.
        """
        fault = self.of_statement(session.statement_name, text)
        if fault is None:
            return
        session.pause(fault.delay)
        if fault.error is not None:
            state = "40001" if _CONFLICT.search(fault.error) else "XX000"
            raise RedshiftError(fault.error.removeprefix("ERROR:").strip(), state)


def _found(pattern: str, *texts: str) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for text in texts)


@cache
def _operations_matching(service: str, pattern: str) -> tuple[str, ...]:
    names = get_service_model(model_name(service)).operation_names
    return tuple(name for name in names if re.fullmatch(pattern, name))


_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "service": (str, "a service as IAM writes it"),
    "action": (str, "a regular expression"),
    "error": (str, "an error code, an HTTP status or Redshift's message, as a string"),
    "delay": ((int, float), "a number of seconds"),
    "drop_response": (bool, "true or false"),
    "times": (int, "a whole number"),
    "probability": ((int, float), "a number from 0 to 1"),
    "seed": (int, "a whole number"),
}


def _parse(content: bytes) -> Fault:
    try:
        asked = json.loads(content or b"null")
    except ValueError:
        raise BadFaultError("The request's body is not JSON.") from None
    if not isinstance(asked, dict):
        raise BadFaultError("The request's body is not a JSON object with a service and an action.")
    for name, value in asked.items():
        if name not in _TYPES:
            raise BadFaultError(f"A fault has no member {name!r}; it has {', '.join(_TYPES)}.")
        kind, wanted = _TYPES[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadFaultError(f"{name} is {json.dumps(value)} and must be {wanted}.")
    for name in ("service", "action"):
        if not asked.get(name):
            raise BadFaultError(f"{name} is missing; it must be {_TYPES[name][1]}.")
    fault = Fault(**asked)
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    if not fault.error and not fault.delay and not fault.drop_response:
        raise BadFaultError("A fault must have an error, a delay or drop_response.")
    if fault.error and fault.drop_response:
        raise BadFaultError("A fault has an error or drop_response, not both.")
    if fault.delay < 0 or not 0 <= fault.probability <= 1 or (fault.times is not None and fault.times < 1):
        raise BadFaultError(
            "delay must not be negative, probability must be from 0 to 1 and times at least 1; "
            f"they are {fault.delay}, {fault.probability} and {fault.times}."
        )
    try:
        re.compile(fault.action)
        operations = _operations_matching(fault.service, fault.action)
    except re.error as error:
        raise BadFaultError(f"action {fault.action!r} is not a regular expression: {error}.") from None
    except UnknownServiceError:
        raise BadFaultError(
            f"AWS has no service {fault.service!r}; write it as IAM policies do, for example redshift-data."
        ) from None
    if not operations and fault.service != REDSHIFT:
        raise BadFaultError(f"{fault.service} has no operation {fault.action}.")
    if fault.is_of_statements and fault.drop_response:
        raise BadFaultError(
            "A statement has no answer of its own to drop; drop the one to redshift-data ExecuteStatement."
        )
