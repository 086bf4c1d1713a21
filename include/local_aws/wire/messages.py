"""Messages of the PostgreSQL protocol 3: reading the client's, writing ours."""

import io
import struct
from collections.abc import Sequence
from typing import BinaryIO

PROTOCOL_3 = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

AUTHENTICATION_OK = struct.pack("!cii", b"R", 8, 0)
PARSE_COMPLETE = struct.pack("!ci", b"1", 4)
BIND_COMPLETE = struct.pack("!ci", b"2", 4)
CLOSE_COMPLETE = struct.pack("!ci", b"3", 4)
NO_DATA = struct.pack("!ci", b"n", 4)
PORTAL_SUSPENDED = struct.pack("!ci", b"s", 4)
EMPTY_QUERY = struct.pack("!ci", b"I", 4)


class ProtocolError(Exception):
    """The client sent something that is not the protocol."""


class EncodingError(ProtocolError):
    """A text is not UTF-8; the connection goes on.

    Args:
        byte: The first byte that does not belong.
    """

    def __init__(self, byte: int) -> None:
        super().__init__(f'invalid byte sequence for encoding "UTF8": 0x{byte:02x}')


class Fields:
    """The fields of one message, read from left to right.

    Args:
        content: The message without its type and length.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def _number(self, code: str) -> int:
        size = struct.calcsize(code)
        if self._at + size > len(self._content):
            raise ProtocolError("a message ends before its fields do")
        (value,) = struct.unpack_from(f"!{code}", self._content, self._at)
        self._at += size
        return int(value)

    def int16(self) -> int:
        """A signed 16-bit number."""
        return self._number("h")

    def int32(self) -> int:
        """A signed 32-bit number."""
        return self._number("i")

    def oid(self) -> int:
        """An unsigned 32-bit number."""
        return self._number("I")

    def string(self) -> str:
        """A text that ends with a zero byte."""
        end = self._content.find(b"\0", self._at)
        if end < 0:
            raise ProtocolError("a text does not end")
        content = self._content[self._at : end]
        self._at = end + 1
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise EncodingError(content[error.start]) from None

    def raw(self, size: int) -> bytes:
        """So many bytes."""
        if size < 0 or self._at + size > len(self._content):
            raise ProtocolError("a value is longer than its message")
        value = self._content[self._at : self._at + size]
        self._at += size
        return value

    def int16s(self) -> list[int]:
        """A count and as many 16-bit numbers."""
        return [self.int16() for _ in range(self.int16())]

    def values(self) -> list[bytes | None]:
        """A count and as many values, each with its length; -1 is NULL."""
        found: list[bytes | None] = []
        for _ in range(self.int16()):
            size = self.int32()
            found.append(None if size == -1 else self.raw(size))
        return found


def read_startup(stream: BinaryIO) -> tuple[int, Fields]:
    """The first message of a connection, which has no type: its code and its fields.

    Raises:
        EOFError: The client hung up.
        ProtocolError: The message is too long to be one.
    """
    size, code = struct.unpack("!ii", _exactly(stream, 8))
    if not 8 <= size <= 10_000:
        raise ProtocolError("this is not a PostgreSQL start-up message")
    return code, Fields(_exactly(stream, size - 8))


def read_message(stream: BinaryIO) -> tuple[bytes, Fields]:
    """The next message: its type and its fields.

    Raises:
        EOFError: The client hung up.
        ProtocolError: The length cannot be.
    """
    kind, size = struct.unpack("!ci", _exactly(stream, 5))
    if size < 4:
        raise ProtocolError("a message is shorter than its header")
    return kind, Fields(_exactly(stream, size - 4))


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def message(kind: bytes, *parts: bytes) -> bytes:
    """A message of a type with its content."""
    content = b"".join(parts)
    return kind + struct.pack("!i", len(content) + 4) + content


def text(value: str) -> bytes:
    """A text with its closing zero byte."""
    return value.encode() + b"\0"


def authentication_md5(salt: bytes) -> bytes:
    """Asks for the password, hashed with this salt of four bytes."""
    return message(b"R", struct.pack("!i", 5), salt)


def parameter_status(name: str, value: str) -> bytes:
    """Tells the client a setting of the server."""
    return message(b"S", text(name), text(value))


def backend_key(pid: int, key: int) -> bytes:
    """What the client needs to cancel a query of this connection."""
    return message(b"K", struct.pack("!iI", pid, key))


def ready(transaction_status: str) -> bytes:
    """Ready for the next query; the status is idle, open or failed."""
    return message(b"Z", {"idle": b"I", "open": b"T", "failed": b"E"}[transaction_status])


def command_complete(tag: str) -> bytes:
    """The end of a statement that went well."""
    return message(b"C", text(tag))


def error(severity: str, sqlstate: str, what: str) -> bytes:
    """An error, with the fields that Redshift's drivers read."""
    return message(b"E", b"S", text(severity), b"C", text(sqlstate), b"M", text(what), b"\0")


def parameter_description(oids: Sequence[int]) -> bytes:
    """The types of a prepared statement's parameters."""
    return message(b"t", struct.pack(f"!h{len(oids)}I", len(oids), *oids))


def row_description(columns: Sequence[tuple[str, int, int, int, int]]) -> bytes:
    """The columns of a result: name, type oid, type size, type modifier and format of each."""
    parts = [struct.pack("!h", len(columns))]
    for name, oid, size, modifier, format_code in columns:
        parts += [text(name), struct.pack("!IhIhih", 0, 0, oid, size, modifier, format_code)]
    return message(b"T", *parts)


def data_row(values: Sequence[bytes | None]) -> bytes:
    """One row; None is NULL."""
    buffer = io.BytesIO()
    buffer.write(struct.pack("!h", len(values)))
    for value in values:
        if value is None:
            buffer.write(b"\xff\xff\xff\xff")
        else:
            buffer.write(struct.pack("!i", len(value)))
            buffer.write(value)
    return message(b"D", buffer.getvalue())
