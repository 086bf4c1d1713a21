"""What CREATE TABLE said: kept as the DuckDB table's comment, so that it rolls back and goes with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from .types import VARCHAR_MAX, DataType


@dataclass(frozen=True)
class ColumnDefinition:
    """A column as it was declared.

    Attributes:
        name: in lower case.
        type: Redshift's type.
        nullable: False for NOT NULL and primary keys.
        encoding: compression encoding; empty when Redshift chooses.
        default: DuckDB expression, empty for none.
        identity: (seed, step) or None.
        identity_always: True for IDENTITY, which refuses explicit values.
        sequence: DuckDB sequence behind the identity.
    """

    name: str
    type: DataType
    nullable: bool = True
    encoding: str = ""
    default: str = ""
    identity: tuple[int, int] | None = None
    identity_always: bool = False
    sequence: str = ""

    @property
    def duckdb(self) -> str:
        """The column in DuckDB's CREATE TABLE, with the length check that DuckDB's own VARCHAR(n) lacks."""
        parts = [quote(self.name), self.type.duckdb]
        if self.sequence:
            parts.append(f"default nextval('{self.sequence}')")
        elif self.default:
            parts.append(f"default ({self.default})")
        if not self.nullable:
            parts.append("not null")
        if self.type.length and self.type.length < VARCHAR_MAX:
            # Redshift accepts trailing blanks beyond the length of a CHAR, as it pads with blanks itself.
            value = f"rtrim({quote(self.name)})" if self.type.name == "bpchar" else quote(self.name)
            parts.append(f"check (strlen({value}) <= {self.type.length})")
        return " ".join(parts)


@dataclass(frozen=True)
class TableDefinition:
    """A table as it was declared; nothing here but the columns changes how the table behaves."""

    columns: tuple[ColumnDefinition, ...]
    diststyle: str = "AUTO"
    distkey: str = ""
    sortkey: tuple[str, ...] = ()
    sortstyle: str = ""
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    backup: bool = True
    names: dict[str, ColumnDefinition] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes the columns by name."""
        object.__setattr__(self, "names", {column.name: column for column in self.columns})

    @property
    def encoded(self) -> str:
        """``svv_table_info.encoded``: whether any column has a declared encoding other than RAW."""
        encodings = {column.encoding for column in self.columns if column.encoding}
        return "Y, AUTO(ENCODE)" if not encodings else ("N" if encodings <= {"raw", "none"} else "Y")

    @property
    def shown_diststyle(self) -> str:
        """``svv_table_info.diststyle``, for example ``KEY(item_key)`` or ``AUTO(ALL)``."""
        return {"KEY": f"KEY({self.distkey})", "AUTO": "AUTO(ALL)"}.get(self.diststyle, self.diststyle)

    def create(self, name: str, *, temporary: bool = False) -> str:
        """DuckDB's CREATE TABLE for this definition.

        Args:
            name: quoted, qualified name.
            temporary: whether it belongs to the session.
        """
        columns = ", ".join(column.duckdb for column in self.columns)
        return f"create {'temp ' if temporary else ''}table {name} ({columns})"

    def comment(self, name: str) -> str:
        """DuckDB's COMMENT ON TABLE that keeps this definition."""
        content = asdict(self)
        del content["names"]
        return f"comment on table {name} is '{json.dumps(content).replace(chr(39), chr(39) * 2)}'"

    @classmethod
    def from_comment(cls, comment: str) -> TableDefinition:
        """Reads back what :meth:`comment` wrote."""
        content = json.loads(comment)
        columns = [
            ColumnDefinition(
                **{
                    **column,
                    "type": DataType(**column["type"]),
                    "identity": tuple(column["identity"]) if column["identity"] else None,
                }
            )
            for column in content.pop("columns")
        ]
        for key in ("sortkey", "primary_key"):
            content[key] = tuple(content[key])
        content["unique"] = tuple(tuple(columns) for columns in content["unique"])
        return cls(tuple(columns), **content)

    def with_columns(self, columns: Sequence[ColumnDefinition]) -> TableDefinition:
        """The same table with other columns."""
        return replace(self, columns=tuple(columns))


def quote(name: str) -> str:
    """An identifier in DuckDB's quotes."""
    return '"' + name.replace('"', '""') + '"'
