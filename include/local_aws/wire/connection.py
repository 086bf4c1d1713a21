"""One client's connection: the simple and the extended query protocol over a runner."""

import logging
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from local_aws import sqltext
from local_aws.redshift import Column, RedshiftError, Result
from local_aws.wire import messages, types
from local_aws.wire.messages import EncodingError, Fields, ProtocolError
from local_aws.wire.runner import Runner

log = logging.getLogger(__name__)

_SEND_AT = 64 * 1024
_COUNTED = frozenset({"UPDATE", "DELETE", "FETCH", "MERGE"})
_BEGINS = frozenset({"begin", "start"})
_ENDS = frozenset({"commit", "end", "rollback", "abort"})


@dataclass
class Prepared:
    """A parsed statement."""

    sql: str
    parameter_types: tuple[str, ...]
    columns: tuple[Column, ...] | None = None
    is_described: bool = False


@dataclass
class Portal:
    """A statement bound to its parameters; its rows are sent from `position` on."""

    prepared: Prepared
    parameters: list[Any]
    formats: list[int]
    result: Result | None = None
    position: int = 0


class Connection:
    """Answers a logged-in client until it leaves.

    Args:
        client: Its socket.
        stream: What it sends, buffered.
        runner: Runs its statements.
    """

    def __init__(self, client: socket.socket, stream: BinaryIO, runner: Runner) -> None:
        self._client = client
        self._stream = stream
        self._runner = runner
        self._out = bytearray()
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._failed = False
        self._handlers = {
            b"P": self._parse,
            b"B": self._bind,
            b"D": self._describe,
            b"E": self._execute,
            b"C": self._close,
        }

    def serve(self) -> None:
        """Reads messages until Terminate, or until the client hangs up.

        Raises:
            EOFError: The client hung up without a word.
            ProtocolError: The client broke the protocol.
        """
        while True:
            kind, fields = messages.read_message(self._stream)
            if kind == b"X":
                return
            if kind == b"Q":
                self._simple_query(fields)
                self._ready()
            elif kind == b"S":
                self._failed = False
                self._ready()
            elif kind == b"H":
                self._flush()
            elif kind in self._handlers:
                self._extended(kind, fields)
            else:
                raise ProtocolError(f"message {kind!r} is not supported")

    # Sending

    def _send(self, content: bytes) -> None:
        self._out += content
        if len(self._out) >= _SEND_AT:
            self._flush()

    def _flush(self) -> None:
        if self._out:
            self._client.sendall(self._out)
            self._out.clear()

    def _ready(self) -> None:
        status = self._runner.transaction_status
        if status == "idle":
            self._portals.clear()
        self._send(messages.ready(status))
        self._flush()

    def _send_error(self, error: RedshiftError | ProtocolError) -> None:
        sqlstate = "22021" if isinstance(error, EncodingError) else "22P02"
        if isinstance(error, RedshiftError):
            sqlstate = error.sqlstate
        self._send(messages.error("ERROR", sqlstate, str(error).removeprefix("ERROR:").strip()))

    def _send_rows(self, result: Result, columns: Sequence[Column], formats: list[int], rows: slice) -> None:
        encoders = types.encoders(columns, formats)
        try:
            for row in result.rows[rows]:
                self._send(
                    messages.data_row([encode(one) for encode, one in zip(encoders, row, strict=True)])
                )
        except (ValueError, TypeError, struct.error) as error:
            raise RedshiftError(f"a value does not fit its column's type: {error}", "XX000") from None

    # The simple protocol

    def _simple_query(self, fields: Fields) -> None:
        """Several statements in one message are one transaction, unless they say otherwise themselves."""
        implicit = False
        try:
            sqls = sqltext.split(fields.string())
            if not sqls:
                self._send(messages.EMPTY_QUERY)
            for sql in sqls:
                word = sqltext.first_word(sql)
                if implicit and word in _BEGINS:
                    implicit = False
                    self._send(messages.command_complete("BEGIN"))
                    continue
                begins_or_ends = word in _BEGINS | _ENDS
                if len(sqls) > 1 and not begins_or_ends and self._runner.transaction_status == "idle":
                    self._runner.session.execute("begin")
                    implicit = True
                self._simple_statement(sql)
                implicit = implicit and word not in _ENDS
            if implicit:
                self._runner.session.execute("commit")
        except (RedshiftError, EncodingError) as error:
            self._send_error(error)
            if implicit and self._runner.transaction_status != "idle":
                self._runner.session.execute("rollback")

    def _simple_statement(self, sql: str) -> None:
        result = self._runner.run(sql)
        if result.columns is not None:
            formats = [0] * len(result.columns)
            self._send(messages.row_description([types.described(column, 0) for column in result.columns]))
            self._send_rows(result, result.columns, formats, slice(None))
        self._send(messages.command_complete(_tag(result, result.row_count)))

    # The extended protocol

    def _extended(self, kind: bytes, fields: Fields) -> None:
        """After an error everything is skipped until Sync."""
        if self._failed:
            return
        try:
            self._handlers[kind](fields)
        except (RedshiftError, ProtocolError) as error:
            self._failed = True
            self._send_error(error)

    def _parse(self, fields: Fields) -> None:
        name, text = fields.string(), fields.string()
        oids = [fields.oid() for _ in range(fields.int16())]
        sqls = sqltext.split(text)
        if len(sqls) > 1:
            raise RedshiftError("cannot insert multiple commands into a prepared statement", "42601")
        parameter_types = tuple(
            "" if oid in types.UNTYPED else types.TYPES.get(oid, "varchar") for oid in oids
        )
        self._prepared[name] = Prepared(sqls[0] if sqls else "", parameter_types)
        self._send(messages.PARSE_COMPLETE)

    def _bind(self, fields: Fields) -> None:
        portal, name = fields.string(), fields.string()
        prepared = self._statement(name)
        parameter_formats, values, formats = fields.int16s(), fields.values(), fields.int16s()
        codes = _for_each(parameter_formats, len(values))
        kinds = [*prepared.parameter_types, *[""] * (len(values) - len(prepared.parameter_types))]
        decoded = [types.decode(*one) for one in zip(values, codes, kinds, strict=False)]
        self._portals[portal] = Portal(prepared, decoded, formats)
        self._send(messages.BIND_COMPLETE)

    def _describe(self, fields: Fields) -> None:
        kind, name = fields.raw(1), fields.string()
        if kind == b"P" and name and name not in self._portals:
            self._send_description(self._runner.cursor_columns(name), [])
            return
        prepared = self._statement(name) if kind == b"S" else self._portal(name).prepared
        if not prepared.is_described and prepared.sql:
            inferred, prepared.columns = self._runner.describe(prepared.sql, prepared.parameter_types)
            prepared.parameter_types = inferred
        prepared.is_described = True
        if kind == b"S":
            oids = [types.OIDS.get(one, types.OIDS["varchar"]) for one in prepared.parameter_types]
            self._send(messages.parameter_description(oids))
        self._send_description(prepared.columns, [] if kind == b"S" else self._portal(name).formats)

    def _send_description(self, columns: Sequence[Column] | None, formats: list[int]) -> None:
        if columns is None:
            self._send(messages.NO_DATA)
            return
        codes = _for_each(formats, len(columns))
        described = [types.described(column, code) for column, code in zip(columns, codes, strict=True)]
        self._send(messages.row_description(described))

    def _execute(self, fields: Fields) -> None:
        portal, limit = self._portal(fields.string()), fields.int32()
        if not portal.prepared.sql:
            self._send(messages.EMPTY_QUERY)
            return
        if portal.result is None:
            portal.result = self._runner.run(portal.prepared.sql, portal.parameters or None)
        result, start = portal.result, portal.position
        end = min(start + limit, len(result.rows)) if limit > 0 else len(result.rows)
        if result.columns is not None:
            # The client decodes by what Describe told it, so that is how rows are written.
            columns = portal.prepared.columns or result.columns
            self._send_rows(result, columns, _for_each(portal.formats, len(columns)), slice(start, end))
        portal.position = end
        if end < len(result.rows):
            self._send(messages.PORTAL_SUSPENDED)
        else:
            rows = end - start if result.columns is not None else result.row_count
            self._send(messages.command_complete(_tag(result, rows)))

    def _close(self, fields: Fields) -> None:
        kind, name = fields.raw(1), fields.string()
        if kind == b"S":
            self._prepared.pop(name, None)
        else:
            self._portals.pop(name, None)
        self._send(messages.CLOSE_COMPLETE)

    def _statement(self, name: str) -> Prepared:
        if name not in self._prepared:
            raise RedshiftError(f'prepared statement "{name}" does not exist', "26000")
        return self._prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise RedshiftError(f'portal "{name}" does not exist', "34000")
        return self._portals[name]


def _for_each(codes: list[int], count: int) -> list[int]:
    """Format codes for so many values: none means text for all, one is for all."""
    return codes * count if len(codes) == 1 else codes or [0] * count


def _tag(result: Result, rows: int) -> str:
    """The command tag with its count; Redshift gives none for SELECT."""
    if result.tag == "INSERT":
        return f"INSERT 0 {max(rows, 0)}"
    return f"{result.tag} {max(rows, 0)}" if result.tag in _COUNTED else result.tag
