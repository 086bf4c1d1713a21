"""System views that clients and pipelines look at."""

from __future__ import annotations

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import Session
from local_aws.redshift.catalog import VIEWS


@pytest.fixture
def described(session: Session) -> Session:
    session.execute("create schema tpcds")
    session.execute(
        "create table tpcds.item (item_key bigint not null, name varchar(16), price numeric(7,2))"
    )
    session.execute("create view tpcds.named as select name from tpcds.item")
    return session


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_system_view_can_be_queried(described: Session, name: str) -> None:
    assert isinstance(rows(described, f"select * from {name}"), list)
    assert isinstance(rows(described, f"select count(*) from pg_catalog.{name} as x"), list)


def test_tables_and_views(described: Session) -> None:
    wanted = [("tpcds", "item", "BASE TABLE"), ("tpcds", "named", "VIEW")]
    assert rows(described, "select table_schema, table_name, table_type from svv_tables") == wanted
    assert (
        rows(described, "select table_schema, table_name, table_type from information_schema.tables")
        == wanted
    )
    assert rows(
        described, "select schema_name, table_name, table_type from svv_all_tables where table_name = 'item'"
    ) == [("tpcds", "item", "TABLE")]


@pytest.mark.parametrize("view", ["svv_columns", "information_schema.columns", "svv_all_columns"])
def test_columns(described: Session, view: str) -> None:
    query = f"""
        select column_name, data_type, is_nullable, character_maximum_length, numeric_precision, numeric_scale
        from {view} where table_name = 'item' order by ordinal_position
    """
    assert rows(described, query) == [
        ("item_key", "bigint", "NO", None, 64, 0),
        ("name", "character varying", "YES", 16, None, None),
        ("price", "numeric", "YES", None, 7, 2),
    ]


def test_schemas(described: Session) -> None:
    assert rows(described, "select schema_name from information_schema.schemata order by 1") == [
        ("public",),
        ("tpcds",),
    ]
    assert ("tpcds", "local") in rows(described, "select schema_name, schema_type from svv_all_schemas")


def test_what_is_ours_is_hidden(described: Session) -> None:
    assert fails(described, "select * from pg_internal.views")[0] == "42P01"
    assert rows(described, "select 1 from svv_tables where table_schema = 'pg_internal'") == []


def test_query_history_tells_what_ran(session: Session) -> None:
    session.execute("set query_group to 'nightly'")
    session.execute("create table t (a int)")
    session.execute("insert into t values (1), (2)")
    fails(session, "select 1/0")
    found = rows(
        session,
        "select query_type, status, returned_rows, query_label, query_text from sys_query_history order "
        "by query_id",
    )
    assert found[2] == ("INSERT", "success", 2, "nightly", "insert into t values (1), (2)")
    assert found[3][:2] == ("SELECT", "failed")
    assert found[4][:2] == ("SELECT", "running")
    query_id = rows(session, "select pg_last_query_id()")[0][0]
    assert rows(session, f"select querytxt, aborted from stl_query where query = {query_id}")[0][1] == 0


def test_queries_of_postgresql_clients(session: Session) -> None:
    session.execute("create table t (a int)")
    assert rows(session, "select usename from pg_user") == [("awsuser",)]
    assert rows(session, "select nspname from pg_catalog.pg_namespace where nspname = 'public'") == [
        ("public",)
    ]
    assert rows(session, "select relname from pg_class where relname = 't'") == [("t",)]
    assert rows(session, "select typname from pg_type where typname = 'int4' limit 1") == [("int4",)]
    assert str(rows(session, "select version()")[0][0]).startswith("PostgreSQL 8.0.2")
    assert rows(session, "show transaction isolation level") == [("serializable",)]
    assert rows(session, "select current_user, current_schema()") == [("awsuser", "public")]
    listed = """
        select n.nspname as "Schema", c.relname as "Name" from pg_catalog.pg_class c
        left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'v', '') and n.nspname <> 'pg_catalog' and
        pg_catalog.pg_table_is_visible(c.oid)
        order by 1, 2
    """
    assert ("public", "t") in rows(session, listed)
