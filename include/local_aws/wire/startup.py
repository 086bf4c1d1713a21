"""The beginning of a connection: encryption refused, a cancel request, or a login by the secret."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from local_aws.clusters import CLUSTER_IDENTIFIER, Clusters
from local_aws.wire import messages
from local_aws.wire.messages import ProtocolError

# What drivers look at. Redshift calls itself PostgreSQL 8.0.2; without `server_protocol_version`
# redshift_connector falls back to the plain protocol that this listener speaks.
_SETTINGS = {
    "server_version": "8.0.2",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "is_superuser": "on",
}


@dataclass(frozen=True)
class Login:
    """Who connects, to which database."""

    user: str
    database: str
    application: str


@dataclass(frozen=True)
class CancelRequest:
    """A connection that only asks to cancel another one's query."""

    pid: int
    key: int


class LoginError(Exception):
    """The login is refused; `sqlstate` says why."""

    def __init__(self, what: str, sqlstate: str) -> None:
        super().__init__(what)
        self.sqlstate = sqlstate


def greet(stream: BinaryIO, send: Callable[[bytes], None], clusters: Clusters) -> Login | CancelRequest:
    """Reads start-up messages until the client has logged in or asked to cancel.

    Args:
        stream: What the client sends.
        send: Sends bytes to the client at once.
        clusters: Knows the passwords.

    Raises:
        EOFError: The client hung up.
        LoginError: The password is wrong or no user is named.
        ProtocolError: The client does not speak PostgreSQL's protocol 3.
    """
    while True:
        code, fields = messages.read_startup(stream)
        if code in {messages.SSL_REQUEST, messages.GSS_REQUEST}:
            send(b"N")
        elif code == messages.CANCEL_REQUEST:
            return CancelRequest(fields.int32(), fields.oid())
        elif code >> 16 == messages.PROTOCOL_3 >> 16:
            return _log_in(_parameters(fields), stream, send, clusters)
        else:
            raise ProtocolError(f"protocol {code >> 16}.{code & 0xFFFF} is not supported; use 3.0")


def _parameters(fields: messages.Fields) -> dict[str, str]:
    parameters: dict[str, str] = {}
    while name := fields.string():
        parameters[name] = fields.string()
    return parameters


def _log_in(
    parameters: dict[str, str], stream: BinaryIO, send: Callable[[bytes], None], clusters: Clusters
) -> Login:
    """Drivers of Redshift send more parameters than PostgreSQL knows; all are welcome."""
    user = parameters.get("user", "")
    if not user:
        raise LoginError("no user name in the start-up message", "28000")
    salt = secrets.token_bytes(4)
    send(messages.authentication_md5(salt))
    kind, fields = messages.read_message(stream)
    if kind != b"p":
        raise ProtocolError("a password was expected")
    answer = fields.string()
    password = clusters.password(CLUSTER_IDENTIFIER, user)
    if password is None or not secrets.compare_digest(answer, _md5_answer(user, password, salt)):
        raise LoginError(f'password authentication failed for user "{user}"', "28P01")
    return Login(user, parameters.get("database", user), parameters.get("application_name", ""))


def _md5_answer(user: str, password: str, salt: bytes) -> str:
    """PostgreSQL's hash of a password; the protocol fixes MD5, and the listener is local."""
    inner = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()


def welcome(login: Login, pid: int, key: int) -> bytes:
    """What a client hears after a good login, up to the first ReadyForQuery."""
    settings = {**_SETTINGS, "session_authorization": login.user, "application_name": login.application}
    return b"".join(
        [
            messages.AUTHENTICATION_OK,
            *(messages.parameter_status(name, value) for name, value in settings.items()),
            messages.backend_key(pid, key),
            messages.ready("idle"),
        ]
    )
