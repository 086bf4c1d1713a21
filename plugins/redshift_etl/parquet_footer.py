"""The names of a Parquet file's columns, from the end of the file.

Own code, because MWAA's image holds no library that reads Parquet, and an environment without a way to PyPI
(`egress = "interface_endpoints"`) cannot install one. Two ranged reads and a list of Thrift structs are all
that the names take.

Sources: Apache Parquet, File Format (a file ends with its footer, the footer's length in four bytes and
`PAR1`) and `parquet.thrift` (FileMetaData, SchemaElement); Apache Thrift, Compact protocol encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

_MAGIC = b"PAR1"
# Magic before and after the data, and the footer's length.
_FRAME_BYTES = 12
# The schema is at the beginning of the footer; what follows it grows with the file.
_SCHEMA_BYTES = 1 << 20
# Fields of FileMetaData and of SchemaElement.
_SCHEMA = 2
_NAME, _CHILDREN = 4, 5


class NotParquetError(ValueError):
    """A file that is no Parquet file, or whose footer is damaged or encrypted."""


def column_names(size: int, read: Callable[[int, int], bytes]) -> list[str]:
    """Read the names of a Parquet file's top-level columns, in the file's order.

    Args:
        size: The file's size in bytes.
        read: Reads the bytes from one position up to, and without, another.

    Raises:
        NotParquetError: The file has no readable footer.
    """
    if size < _FRAME_BYTES:
        raise NotParquetError(f"it has {size} bytes")
    end = size - 8
    tail = read(end, size)
    start = end - int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not len(_MAGIC) <= start < end:
        raise NotParquetError("it has no footer")
    try:
        footer = _Compact(read(start, min(end, start + _SCHEMA_BYTES)))
        schema = next(value for number, value in footer.struct() if number == _SCHEMA)
        return list(_top_level(schema))
    except (
        EOFError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        StopIteration,
        RecursionError,
    ) as error:
        raise NotParquetError("its footer is damaged") from error


def _top_level(schema: Sequence[dict[int, Any]]) -> Iterator[str]:
    """The children of the root: the tree stands there depth first, each node with how many it has."""
    _root, *nodes = schema
    below = 0
    for node in nodes:
        if below:
            below -= 1
        else:
            yield node[_NAME].decode()
        below += node.get(_CHILDREN, 0)


class _Compact:
    """Reads Thrift's compact protocol: a struct is a dict by field number."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self) -> Iterator[tuple[int, Any]]:
        number = 0
        while header := self._take(1)[0]:
            step, kind = header >> 4, header & 0x0F
            number = number + step if step else self._integer()
            # A field's type says whether it is true; in a list it is a byte.
            yield number, kind == 1 if kind in {1, 2} else self._value(kind)

    def _value(self, kind: int) -> Any:
        match kind:
            case 1 | 2 | 3:
                return self._take(1)[0]
            case 4 | 5 | 6:
                return self._integer()
            case 7:
                return self._take(8)
            case 8:
                return self._take(self._unsigned())
            case 9:
                return self._list()
            case 12:
                return dict(self.struct())
        raise ValueError(f"type {kind} is not in a footer")

    def _list(self) -> list[Any]:
        header = self._take(1)[0]
        count = header >> 4
        if count == 0x0F:
            count = self._unsigned()
        return [self._value(header & 0x0F) for _ in range(count)]

    def _integer(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)

    def _unsigned(self) -> int:
        number = 0
        for shift in range(0, 64, 7):
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
        raise ValueError("a number of more than 64 bits")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise EOFError("the footer ends too early")
        self._at += count
        return taken
