"""Who logs in where: the secret's content, the connection it makes, and what of it a log must never show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import boto3
import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.error import Error

# Passwords and keys that SQL may hold: CREATE USER ... PASSWORD '...', COPY ... CREDENTIALS '...'.
_SQL_SECRET = re.compile(
    r"(\b(?:password|credentials|access_key_id|secret_access_key|session_token|master_symmetric_key)\b"
    r"(?:\s+as)?\s*=?\s*)'(?:''|[^'])*'?",
    re.IGNORECASE,
)


class LoginError(ValueError):
    """No connection: the secret is not as it should be, or Redshift refuses it. One sentence."""


@dataclass(frozen=True)
class Login:
    """A user of a cluster or workgroup.

    Attributes:
        secret: The secret's name or ARN, for messages.
        host: The endpoint's host name.
        port: Its port.
        user: The database user.
        password: Their password; never shown.
        ssl: Whether the connection is encrypted and the server's certificate checked. Only a secret that says
            `"ssl": false` turns it off, for a server on the same machine.
    """

    secret: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl: bool = True

    @classmethod
    def read(cls, secret: str, host: str | None = None, port: int | None = None) -> Login:
        """Read a secret of Secrets Manager.

        Args:
            secret: Its name or ARN. Its value is a JSON object with username, password, host and port, as the
                console writes it; other keys, engine and dbname for example, are not read. A master password
                that Redshift manages itself has only username and password.
            host: The endpoint where the secret names no host.
            port: Its port where the secret names none.

        Raises:
            LoginError: It cannot be read, or a key is missing or of the wrong type.
        """
        try:
            content = json.loads(
                boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
            )
        except (ClientError, BotoCoreError) as error:
            raise LoginError(f"Secret {secret} cannot be read: {error}") from None
        except (ValueError, KeyError):
            content = None
        if not isinstance(content, dict):
            raise LoginError(f"Secret {secret} is not a JSON object: store username and password in it.")
        for key in ("username", "password"):
            if content.get(key) in (None, ""):
                raise LoginError(f"Secret {secret} has no key {key}: store username and password in it.")
        endpoint = {"host": content.get("host") or host, "port": content.get("port") or port}
        for key, value in endpoint.items():
            if value is None:
                raise LoginError(
                    f"Secret {secret} has no key {key}: store it, or give the job the argument --{key}."
                )
        number, ssl = str(endpoint["port"]), content.get("ssl", True)
        if not number.isdigit():
            raise LoginError(f"Secret {secret} has a port that is no number: store for example 5439.")
        if not isinstance(ssl, bool):
            raise LoginError(
                f"Secret {secret} has an ssl that is neither true nor false: remove it or correct it."
            )
        return cls(
            secret,
            str(endpoint["host"]),
            int(number),
            str(content["username"]),
            str(content["password"]),
            ssl,
        )

    def connect(self, database: str, application: str) -> Any:
        """Connect.

        Args:
            database: The database's name.
            application: What the connection is called in Redshift's system tables.

        Returns:
            A connection of redshift_connector in autocommit: transactions are opened in SQL.

        Raises:
            LoginError: There is no connection, or Redshift refuses the login.
        """
        try:
            connection = redshift_connector.connect(
                host=self.host,
                port=self.port,
                database=database,
                user=self.user,
                password=self.password,
                ssl=self.ssl,
                sslmode="verify-full",
                application_name=application,
            )
        except (Error, OSError) as error:
            reason = self.conceal(message(error))
            raise LoginError(
                f"Database {database} at {self.host}:{self.port} refuses user {self.user} of secret "
                f"{self.secret}, or cannot be reached: {reason}"
            ) from None
        connection.autocommit = True
        return connection

    def conceal(self, text: str) -> str:
        """Mask this password, and any other that stands in SQL, for a log or a message."""
        return _SQL_SECRET.sub(r"\1'***'", text).replace(self.password, "***")


def message(error: BaseException) -> str:
    """What an error of redshift_connector says, on one line: the server's message, detail and hint."""
    fields = error.args[0] if error.args else ""
    if isinstance(fields, dict):
        fields = ". ".join(str(fields[key]) for key in ("M", "D", "H") if fields.get(key))
    return " ".join(str(fields or type(error).__name__).split())
