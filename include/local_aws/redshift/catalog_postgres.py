"""Rows of PostgreSQL's own catalog, as far as psql, drivers and inspectors read it on Redshift."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .catalog_tables import local_schemas, relations
from .spectrum_catalog import external_schemas
from .types import TYPE_OIDS

if TYPE_CHECKING:
    from .session import Session

Rows = Iterator[Sequence[Any]]

_OWNER = 100
# An oid of a relation holds its schema's, so that its visibility follows from the oid alone.
_SCHEMA_SHIFT = 31


def schema_oid(name: str) -> int:
    """The oid of a schema, the same in every session."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def relation_oid(schema: str, name: str) -> int:
    """The oid of a table or view, the same in every session."""
    return schema_oid(schema) << _SCHEMA_SHIFT | schema_oid(name)


def is_visible(schemas: Sequence[str]) -> str:
    """DuckDB SQL, with ``{0}`` for a relation's oid, for whether it is found without naming its schema."""
    listed = ", ".join(str(schema_oid(name)) for name in schemas)
    return f"((({{0}})::bigint >> {_SCHEMA_SHIFT}) in ({listed}))"


def _pg_namespace(session: Session) -> Rows:
    names = {*local_schemas(session), *external_schemas(session), "pg_catalog", "information_schema"}
    names |= {relation.schema for relation in relations(session)}
    for name in sorted(names):
        yield schema_oid(name), name, _OWNER, None


def _pg_class(session: Session) -> Rows:
    for relation in relations(session):
        kind = "r" if relation.kind == "BASE TABLE" else "v"
        oid = relation_oid(relation.schema, relation.name)
        yield (
            oid, relation.name, schema_oid(relation.schema), _OWNER, kind, len(relation.columns), False, 0, 0,
            kind == "v", False, 0, 0, None,
        )  # fmt: skip


def _pg_attribute(session: Session) -> Rows:
    for relation in relations(session):
        oid = relation_oid(relation.schema, relation.name)
        for number, (name, kind, nullable, default) in enumerate(relation.columns, 1):
            modifier = -1
            if kind.name in {"varchar", "bpchar"} and kind.length:
                modifier = kind.length + 4
            elif kind.name == "numeric":
                modifier = (kind.precision << 16 | kind.scale) + 4
            yield (
                oid, name, TYPE_OIDS.get(kind.name, 0), number, modifier, not nullable, bool(default), False,
                kind.written, 0,
            )  # fmt: skip


def _pg_attrdef(session: Session) -> Rows:
    for relation in relations(session):
        oid = relation_oid(relation.schema, relation.name)
        for number, (_, _, _, default) in enumerate(relation.columns, 1):
            if default:
                yield oid, number, default, default


def _pg_type(_: Session) -> Rows:
    namespace = schema_oid("pg_catalog")
    for name, oid in TYPE_OIDS.items():
        yield oid, name, namespace, "b", 0


def _pg_roles(session: Session) -> Rows:
    for number, user in enumerate(session.warehouse.users):
        yield _OWNER + number, user, True, True, True, True, True, -1, None, False


def _nothing(_: Session) -> Rows:
    return iter(())


View = tuple[str, Callable[["Session"], Rows]]

VIEWS: dict[str, View] = {
    "pg_namespace": ("oid bigint, nspname varchar, nspowner int, nspacl varchar", _pg_namespace),
    "pg_class": (
        (
            "oid bigint, relname varchar, relnamespace bigint, relowner int, relkind varchar, relnatts int, "
            "relhasindex bool, relchecks int, reltriggers int, relhasrules bool, relhasoids bool, "
            "reltablespace int, reltuples int, relacl varchar"
        ),
        _pg_class,
    ),
    "pg_attribute": (
        (
            "attrelid bigint, attname varchar, atttypid int, attnum int, atttypmod int, attnotnull bool, "
            "atthasdef bool, attisdropped bool, attformatted varchar, attcollation int"
        ),
        _pg_attribute,
    ),
    "pg_attrdef": ("adrelid bigint, adnum int, adsrc varchar, adbin varchar", _pg_attrdef),
    "pg_type": ("oid int, typname varchar, typnamespace bigint, typtype varchar, typcollation int", _pg_type),
    "pg_roles": (
        (
            "oid int, rolname varchar, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, "
            "rolcanlogin bool, rolconnlimit int, rolvaliduntil timestamp, rolreplication bool"
        ),
        _pg_roles,
    ),
    # Redshift has none of these objects, or keeps none of ours there.
    "pg_inherits": ("inhrelid bigint, inhparent bigint, inhseqno int", _nothing),
    "pg_index": (
        "indexrelid bigint, indrelid bigint, indisprimary bool, indisunique bool, indisclustered bool",
        _nothing,
    ),
    "pg_constraint": (
        "oid bigint, conname varchar, conrelid bigint, contype varchar, confrelid bigint",
        _nothing,
    ),
    "pg_rewrite": ("oid bigint, rulename varchar, ev_class bigint, ev_type varchar", _nothing),
    "pg_trigger": ("oid bigint, tgname varchar, tgrelid bigint, tgconstraint bigint", _nothing),
    "pg_auth_members": ("roleid int, member int", _nothing),
    "pg_description": ("objoid bigint, classoid bigint, objsubid int, description varchar", _nothing),
}
