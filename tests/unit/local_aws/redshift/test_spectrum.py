"""External schemas, tables and partitions; the Glue catalog is the truth and S3 is read at query time."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from redshift_engine import BUCKET, ROLE, fails, rows

from local_aws.redshift import Session

SCHEMA = f"""
    create external schema if not exists spectrum from data catalog database 'spectrum' {ROLE}
    create external database if not exists
"""
TABLE = f"""
    create external table spectrum.sales (item varchar(16), quantity int, net decimal(7,2))
    partitioned by (sale_date date)
    stored as parquet
    location 's3://{BUCKET}/raw/sales/'
"""


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def sales(quantities: list[int]) -> bytes:
    nets = pa.array([f"{quantity}.50" for quantity in quantities]).cast(pa.decimal128(7, 2))
    return parquet(
        item=[f"item-{quantity}" for quantity in quantities],
        quantity=pa.array(quantities, pa.int32()),
        net=nets,
    )


def put(s3: Any, key: str, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def add_partition(session: Session, day: str) -> None:
    session.execute(f"""
        alter table spectrum.sales add if not exists partition (sale_date = '{day}')
        location 's3://{BUCKET}/raw/sales/sale_date={day}/'
    """)


@pytest.fixture
def external(lake: Session) -> Session:
    lake.execute(SCHEMA)
    lake.execute(TABLE)
    return lake


def test_only_registered_partitions_are_read(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1, 2]))
    put(s3, "raw/sales/sale_date=2003-01-03/part-0.parquet", sales([3]))
    assert rows(external, "select count(*) from spectrum.sales") == [(0,)]
    add_partition(external, "2003-01-02")
    assert rows(external, "select quantity, sale_date::varchar from spectrum.sales order by 1") == [
        (1, "2003-01-02"),
        (2, "2003-01-02"),
    ]


def test_text_that_is_only_marked_as_bytes_is_text_and_must_be_utf8(external: Session, s3: Any) -> None:
    add_partition(external, "2003-01-02")
    key = "raw/sales/sale_date=2003-01-02/part-0.parquet"
    put(s3, key, parquet(item=pa.array(["Bücher".encode(), None], pa.binary())))
    assert rows(external, "select item from spectrum.sales order by 1") == [("Bücher",), (None,)]
    put(s3, key, parquet(item=pa.array(["Bücher".encode("latin-1")], pa.binary())))
    state, message = fails(external, "select item from spectrum.sales")
    assert state == "22021"
    assert "Bad UTF8 hex sequence: 42fc63686572, column item" in message
    assert f"s3://{BUCKET}/{key}" in message


def test_an_object_written_after_the_ddl_is_seen(external: Session, s3: Any) -> None:
    add_partition(external, "2003-01-02")
    assert rows(external, "select count(*) from spectrum.sales") == [(0,)]
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    assert rows(external, "select sum(quantity) from spectrum.sales") == [(1,)]
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([5]))
    assert rows(external, "select sum(quantity) from spectrum.sales") == [(5,)]


def test_adding_a_partition_again_needs_if_not_exists(external: Session) -> None:
    add_partition(external, "2003-01-02")
    add_partition(external, "2003-01-02")
    state, message = fails(
        external,
        f"alter table spectrum.sales add partition (sale_date='2003-01-02') location 's3://{BUCKET}/x/'",
    )
    assert state == "42710"
    assert "already exists" in message


def test_several_partitions_are_added_and_dropped_at_once(external: Session) -> None:
    external.execute(f"""
        alter table spectrum.sales add if not exists
        partition (sale_date = '2003-01-02') location 's3://{BUCKET}/a/'
        partition (sale_date = '2003-01-03') location 's3://{BUCKET}/b/'
    """)
    found = "select values, location from svv_external_partitions where tablename = 'sales' order by 1"
    assert rows(external, found) == [
        ('["2003-01-02"]', f"s3://{BUCKET}/a/"),
        ('["2003-01-03"]', f"s3://{BUCKET}/b/"),
    ]
    external.execute("alter table spectrum.sales drop partition (sale_date = '2003-01-02')")
    assert len(rows(external, found)) == 1
    assert (
        fails(external, "alter table spectrum.sales drop partition (sale_date = '2003-01-02')")[0] == "42704"
    )


def test_a_partition_is_pointed_to_another_place_and_nothing_else_of_it_changes(
    external: Session, s3: Any, glue: Any
) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    put(s3, "moved/sale_date=2003-01-02/part-0.parquet", sales([2, 3]))
    add_partition(external, "2003-01-02")
    add_partition(external, "2003-01-03")
    place = {"DatabaseName": "spectrum", "TableName": "sales", "PartitionValues": ["2003-01-02"]}
    before = glue.get_partition(**place)["Partition"]["StorageDescriptor"]
    move = (
        "alter table spectrum.sales partition (sale_date = '{day}') set location 's3://{bucket}/moved/{at}/'"
    )
    external.execute(move.format(day="2003-01-02", bucket=BUCKET, at="sale_date=2003-01-02"))
    assert rows(external, "select quantity from spectrum.sales order by 1") == [(2,), (3,)]
    after = glue.get_partition(**place)["Partition"]["StorageDescriptor"]
    assert after == before | {"Location": f"s3://{BUCKET}/moved/sale_date=2003-01-02/"}
    state, message = fails(external, move.format(day="1999-01-01", bucket=BUCKET, at="nowhere"))
    assert (state, message) == ("42704", "ERROR: Partition does not exist: ['1999-01-01']")


@pytest.mark.parametrize(
    "condition",
    [
        "sale_date = '2003-01-02'",
        "sale_date = :day",
        "s.sale_date = cast(:day as date)",
        "sale_date in ('2003-01-02', '2001-01-01')",
        "sale_date between '2003-01-01' and '2003-01-02'",
        "sale_date < '2003-01-03' and quantity > 0",
        "sale_date <= dateadd(day, -1, '2003-01-03'::date)",
    ],
)
def test_conditions_on_partition_columns_prune(external: Session, s3: Any, condition: str) -> None:
    """The other partition's object is no Parquet at all: reading it would fail."""
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1, 2]))
    put(s3, "raw/sales/sale_date=2003-01-03/part-0.parquet", b"this is not parquet")
    add_partition(external, "2003-01-02")
    add_partition(external, "2003-01-03")
    parameters = {"day": "2003-01-02"} if ":day" in condition else None
    assert rows(external, f"select count(*) from spectrum.sales s where {condition}", parameters) == [(2,)]


def test_a_condition_that_does_not_rule_a_partition_out_reads_it(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    put(s3, "raw/sales/sale_date=2003-01-03/part-0.parquet", sales([2]))
    add_partition(external, "2003-01-02")
    add_partition(external, "2003-01-03")
    query = "select quantity from spectrum.sales where sale_date = '2003-01-02' or quantity = 2 order by 1"
    assert rows(external, query) == [(1,), (2,)]


def test_an_outer_join_condition_does_not_prune(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    add_partition(external, "2003-01-02")
    query = """
        select s.quantity, d.one from spectrum.sales s
        left join (select 1 as one) d on s.sale_date = '1999-01-01' and d.one = s.quantity
    """
    assert rows(external, query) == [(1, None)]


def test_files_that_start_with_an_underscore_or_a_dot_are_ignored(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    put(s3, "raw/sales/sale_date=2003-01-02/_SUCCESS", b"x")
    put(s3, "raw/sales/sale_date=2003-01-02/.part-0.crc", b"x")
    add_partition(external, "2003-01-02")
    assert rows(external, "select count(*) from spectrum.sales") == [(1,)]


def test_columns_are_matched_by_name_and_a_missing_one_is_null(external: Session, s3: Any) -> None:
    put(
        s3,
        "raw/sales/sale_date=2003-01-02/part-0.parquet",
        parquet(quantity=pa.array([7], pa.int32()), item=["a"]),
    )
    add_partition(external, "2003-01-02")
    assert rows(external, "select item, quantity, net from spectrum.sales") == [("a", 7, None)]


@pytest.mark.parametrize(
    ("delivered", "seen"),
    [
        ("sixteen bytes: 1", "sixteen bytes: 1"),
        ("seventeen bytes 1", "seventeen bytes "),
        ("ü" * 9, "ü" * 8),
        ("seventeen, half ü", "seventeen, half "),
        ("four, four, 4, \U0001f4a5", "four, four, 4, "),
    ],
)
def test_text_is_cut_to_the_bytes_that_are_declared_at_a_whole_character(
    external: Session, s3: Any, delivered: str, seen: str
) -> None:
    """Without an error: for a text to be refused, the external column must be wider than its target."""
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", parquet(item=[delivered, None]))
    add_partition(external, "2003-01-02")
    assert rows(external, "select item from spectrum.sales order by 1") == [(seen,), (None,)]
    assert rows(external, f"select count(*) from spectrum.sales where item = '{seen}'") == [(1,)]


def test_a_wrong_type_names_file_column_and_both_types(external: Session, s3: Any) -> None:
    key = "raw/sales/sale_date=2003-01-02/part-0.parquet"
    put(s3, key, parquet(item=["a"], quantity=["many"]))
    add_partition(external, "2003-01-02")
    state, message = fails(external, "select sum(quantity) from spectrum.sales")
    assert state == "XX000"
    assert f"File 's3://{BUCKET}/{key}' has an incompatible Parquet schema" in message
    assert f"for column 's3://{BUCKET}/{key}.quantity'" in message
    assert "Column type: INT, Parquet schema: optional byte_array quantity" in message


def test_a_corrupt_file_is_named(external: Session, s3: Any) -> None:
    key = "raw/sales/sale_date=2003-01-02/part-0.parquet"
    put(s3, key, b"PAR1 this is not parquet")
    add_partition(external, "2003-01-02")
    _, message = fails(external, "select count(*) from spectrum.sales")
    assert message.startswith("ERROR: Spectrum Scan Error")
    assert f"s3://{BUCKET}/{key}" in message


@pytest.mark.parametrize(
    ("action", "resource", "place"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*", "raw/sales/sale_date=2003-01-02/part-0.parquet"),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", "raw/sales/sale_date=2003-01-02/"),
    ],
)
def test_a_bucket_that_one_may_not_read_is_one_clear_error(
    external: Session, s3: Any, action: str, resource: str, place: str
) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    add_partition(external, "2003-01-02")
    denied = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    state, message = fails(external, "select count(*) from spectrum.sales")
    assert state == "XX000"
    assert (
        f"S3ServiceException:Access Denied,Status 403,Error AccessDenied,at s3://{BUCKET}/{place}" in message
    )
    s3.delete_bucket_policy(Bucket=BUCKET)
    assert rows(external, "select count(*) from spectrum.sales") == [(1,)]


def test_a_table_made_through_the_glue_api_is_visible(lake: Session, s3: Any, glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "made_elsewhere"})
    glue.create_table(
        DatabaseName="made_elsewhere",
        TableInput={
            "Name": "letters",
            "StorageDescriptor": {
                "Columns": [{"Name": "letter", "Type": "string"}, {"Name": "n", "Type": "bigint"}],
                "Location": f"s3://{BUCKET}/letters",
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                },
            },
        },
    )
    put(s3, "letters/0.parquet", parquet(letter=["a", "b"], n=[1, 2]))
    lake.execute(f"create external schema other from data catalog database 'made_elsewhere' {ROLE}")
    assert rows(lake, "select letter, n from other.letters order by n") == [("a", 1), ("b", 2)]
    assert rows(lake, "select schemaname, tablename from svv_external_tables") == [("other", "letters")]
    assert rows(lake, "select columnname, external_type from svv_external_columns order by columnnum") == [
        ("letter", "string"),
        ("n", "bigint"),
    ]
    assert rows(lake, "select schemaname, databasename from svv_external_schemas") == [
        ("other", "made_elsewhere")
    ]


def test_a_text_table_splits_its_fields(lake: Session, s3: Any) -> None:
    lake.execute(SCHEMA)
    lake.execute(f"""
        create external table spectrum.words (word varchar(20), n int)
        row format delimited fields terminated by '\\t' stored as textfile
        location 's3://{BUCKET}/words/' table properties ('skip.header.line.count'='1')
    """)
    put(s3, "words/1.tsv", b"word\tn\nhello\t1\n\\N\t2\n")
    assert rows(lake, "select word, n from spectrum.words order by n") == [("hello", 1), (None, 2)]


def test_an_external_table_joins_and_loads_like_any_other(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1, 2]))
    add_partition(external, "2003-01-02")
    external.execute("create table staged (item varchar(16), quantity int, net numeric(7,2), sale_date date)")
    result = external.execute("""
        insert into staged
        select s.item, s.quantity, s.net, s.sale_date from spectrum.sales as s where s.sale_date =
        '2003-01-02'
    """)
    assert result.row_count == 2
    joined = """
        with day as (select item, sum(net) as net from spectrum.sales group by 1)
        select d.net, st.quantity from day d join staged st on st.item = d.item order by 2
    """
    assert [(str(net), quantity) for net, quantity in rows(external, joined)] == [("1.50", 1), ("2.50", 2)]


def test_a_late_binding_view_over_an_external_table_sees_new_objects(external: Session, s3: Any) -> None:
    external.execute(
        "create view sold as select sum(quantity) as n from spectrum.sales with no schema binding"
    )
    add_partition(external, "2003-01-02")
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([4]))
    assert rows(external, "select n from sold") == [(4,)]
    state, message = fails(external, "create view bound as select quantity from spectrum.sales")
    assert (state, "NO SCHEMA BINDING" in message) == ("0A000", True)


@pytest.mark.parametrize(
    "statement",
    [
        TABLE,
        f"alter table spectrum.sales add partition (sale_date='2003-01-02') location 's3://{BUCKET}/x/'",
        f"alter table spectrum.sales partition (sale_date='2003-01-02') set location 's3://{BUCKET}/x/'",
        "drop table spectrum.sales",
        SCHEMA.replace("spectrum from", "another from"),
        "drop schema spectrum drop external database",
    ],
)
def test_external_ddl_is_refused_inside_a_transaction(external: Session, statement: str) -> None:
    external.execute("begin")
    state, message = fails(external, statement)
    assert state == "25001"
    assert re.search("cannot run inside a transaction block", message)
    external.execute("rollback")


def test_dropping_an_external_table_leaves_its_objects(external: Session, s3: Any, glue: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    external.execute("drop table spectrum.sales")
    assert fails(external, "select * from spectrum.sales")[0] == "42P01"
    assert fails(external, "drop table spectrum.sales")[0] == "42P01"
    external.execute("drop table if exists spectrum.sales")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    external.execute("drop schema spectrum drop external database")
    assert glue.get_databases()["DatabaseList"] == []
    assert fails(external, TABLE)[0] == "3F000"


def test_an_external_table_that_exists_needs_if_not_exists(external: Session) -> None:
    assert fails(external, TABLE)[0] == "42P07"
    external.execute(TABLE.replace("external table", "external table if not exists"))
    assert fails(external, SCHEMA.replace("if not exists spectrum", "spectrum"))[0] == "42P06"


def test_a_partition_must_name_the_tables_partition_columns(external: Session) -> None:
    statement = f"alter table spectrum.sales add partition (day='2003-01-02') location 's3://{BUCKET}/x/'"
    assert "does not match the partition columns (sale_date)" in fails(external, statement)[1]


def test_an_external_table_cannot_be_written(external: Session) -> None:
    assert fails(external, "insert into spectrum.sales values ('a', 1, 1.5, '2003-01-02')")[0] == "0A000"
    assert fails(external, "create table spectrum.local (a int)")[0] == "0A000"


def test_the_path_pseudo_column_names_the_object(external: Session, s3: Any) -> None:
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", sales([1]))
    add_partition(external, "2003-01-02")
    path = f"s3://{BUCKET}/raw/sales/sale_date=2003-01-02/part-0.parquet"
    assert rows(external, 'select "$path" from spectrum.sales') == [(path,)]


def test_values_are_those_that_duckdb_reads_from_the_file(external: Session, s3: Any, tmp_path: Any) -> None:
    body = sales(list(range(500)))
    put(s3, "raw/sales/sale_date=2003-01-02/part-0.parquet", body)
    add_partition(external, "2003-01-02")
    local = tmp_path / "sales.parquet"
    local.write_bytes(body)
    expected = duckdb.sql(f"select item, quantity, net from '{local}' order by quantity").fetchall()
    assert rows(external, "select item, quantity, net from spectrum.sales order by quantity") == expected
