"""COPY from S3: prefixes, manifests, Parquet by position, text formats, load errors; all or nothing."""

from __future__ import annotations

import gzip
import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from redshift_engine import BUCKET, ROLE, fails, rows

from local_aws.redshift import Session


def put(s3: Any, key: str, body: bytes | str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body if isinstance(body, bytes) else body.encode())


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.fixture
def items(lake: Session) -> Session:
    lake.execute("create table item (id int, name varchar(5), price numeric(7,2), day date)")
    return lake


def copy(session: Session, key: str, options: str, target: str = "item") -> int:
    return session.execute(f"copy {target} from 's3://{BUCKET}/{key}' {ROLE} {options}").row_count


def int32(values: list[int]) -> Any:
    return pa.array(values, pa.int32())


def test_parquet_columns_fill_table_columns_by_position(lake: Session, s3: Any) -> None:
    lake.execute("create table item (id int, name varchar(5))")
    put(s3, "in/a.parquet", parquet(anything=int32([1, 2]), else_=["x", "y"]))
    put(s3, "in/b.parquet", parquet(anything=int32([3]), else_=["z"]))
    assert copy(lake, "in/", "format as parquet") == 3
    assert rows(lake, "select id, name from item order by id") == [(1, "x"), (2, "y"), (3, "z")]
    assert rows(lake, "select pg_last_copy_count()") == [(3,)]


def test_a_prefix_is_a_beginning_of_keys_and_not_a_folder(lake: Session, s3: Any) -> None:
    lake.execute("create table t (id int)")
    for key in ("in/part-1.parquet", "in/part-2.parquet", "in/other.parquet", "in/_SUCCESS"):
        put(s3, key, parquet(id=int32([1])) if key.endswith("parquet") else b"")
    assert copy(lake, "in/part-", "format parquet", "t") == 2


def test_a_prefix_without_objects_is_an_error(items: Session) -> None:
    state, message = fails(items, f"copy item from 's3://{BUCKET}/nothing/here' {ROLE} format parquet")
    assert (state, message) == ("XX000", "ERROR: The specified S3 prefix 'nothing/here' does not exist")


def test_parquet_with_another_number_of_columns_names_the_file(items: Session, s3: Any) -> None:
    put(s3, "in/a.parquet", parquet(id=int32([1]), name=["x"]))
    _, message = fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} format parquet")
    assert "Unmatched number of columns between table and file. Table columns: 4, Data columns: 2" in message
    assert f"s3://{BUCKET}/in/a.parquet" in message


def test_parquet_of_another_type_names_file_column_and_types(lake: Session, s3: Any) -> None:
    lake.execute("create table t (id int, price numeric(7,2))")
    put(s3, "in/a.parquet", parquet(id=int32([1]), price=["dear"]))
    _, message = fails(lake, f"copy t from 's3://{BUCKET}/in/' {ROLE} format parquet")
    assert f"File 's3://{BUCKET}/in/a.parquet' has an incompatible Parquet schema" in message
    assert (
        "a.parquet.price'. Column type: DECIMAL(7, 2), Parquet schema: optional byte_array price" in message
    )
    assert rows(lake, "select count(*) from t") == [(0,)]


def test_a_parquet_value_that_is_too_long_names_file_and_column_and_loads_nothing(
    lake: Session, s3: Any
) -> None:
    lake.execute("create table t (name varchar(3))")
    put(s3, "in/a.parquet", parquet(name=["abc"]))
    put(s3, "in/b.parquet", parquet(name=["abcd"]))
    _, message = fails(lake, f"copy t from 's3://{BUCKET}/in/' {ROLE} format parquet")
    assert (
        "The length of the data column name is longer than the length defined in the table. Table: 3, Data: 4"
        in message
    )
    assert f"s3://{BUCKET}/in/b.parquet" in message
    assert rows(lake, "select count(*) from t") == [(0,)]


def test_a_file_that_is_no_parquet_is_named(items: Session, s3: Any) -> None:
    put(s3, "in/a.parquet", b"id,name\n1,x\n")
    assert (
        f"s3://{BUCKET}/in/a.parquet" in fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} parquet")[1]
    )


def test_a_copy_into_a_not_null_column_names_it(lake: Session, s3: Any) -> None:
    lake.execute("create table t (name varchar(3) not null)")
    put(s3, "in/a.parquet", parquet(name=pa.array([None, "a"], pa.string())))
    assert (
        "Cannot insert a NULL value into column name"
        in fails(lake, f"copy t from 's3://{BUCKET}/in/' {ROLE} parquet")[1]
    )


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("1|a|1.50|2020-01-02\n2|b||\n", ""),
        ("1,a,1.50,2020-01-02\n2,b,,\n", "csv"),
        ("id,name,price,day\n1,a,1.50,2020-01-02\n2,b,,\n", "format as csv ignoreheader 1"),
        ("1;'a';1.50;2020-01-02\n2;b;;\n", "csv quote as '''' delimiter ';'"),
        ("1\ta\t1.50\t2020-01-02\n2\tb\t\t\n", "delimiter '\\t'"),
        ('1|"a"|"1.50"|2020-01-02\n2|b||\n', "removequotes"),
        ("1|a|1.50|2020-01-02\n2|b|-|-\n", "null as '-'"),
        ("1|a|1.50|02.01.2020\n2|b||\n", "dateformat 'DD.MM.YYYY'"),
        ("1|a|1.50|2020-01-02\n2|b\n", "fillrecord"),
        (
            '{"id": 1, "name": "a", "price": 1.50, "day": "2020-01-02", "more": 1}\n{"id": 2, "name": "b"}\n',
            "format as json 'auto'",
        ),
    ],
)
def test_text_formats(items: Session, s3: Any, body: str, options: str) -> None:
    put(s3, "in/a", body)
    assert copy(items, "in/", options) == 2
    loaded = rows(items, "select id, name, price, day::varchar from item order by id")
    assert loaded == [(1, "a", Decimal("1.50"), "2020-01-02"), (2, "b", None, None)]


def test_gzip_is_unpacked(items: Session, s3: Any) -> None:
    put(s3, "in/a.gz", gzip.compress(b"1,a,1.5,2020-01-02\n"))
    assert copy(items, "in/", "csv gzip region 'us-east-1' statupdate off compupdate off") == 1
    assert rows(items, "select id, name from item") == [(1, "a")]


def test_quoted_csv_fields_may_hold_delimiters_quotes_and_lines(lake: Session, s3: Any) -> None:
    lake.execute("create table t (a varchar(50), b varchar(50))")
    put(s3, "in/a.csv", '"x, ""y""","line one\nline two"\n')
    assert copy(lake, "in/", "csv", "t") == 1
    assert rows(lake, "select a, b from t") == [('x, "y"', "line one\nline two")]


def test_escape_takes_backslashes_away(lake: Session, s3: Any) -> None:
    lake.execute("create table t (a varchar(50), b varchar(50))")
    put(s3, "in/a.txt", "x\\|y|line one\\\nline two\nz|\\N\n")
    assert copy(lake, "in/", "escape", "t") == 2
    assert rows(lake, "select a, b from t order by a") == [("x|y", "line one\nline two"), ("z", None)]


def test_empty_and_blank_fields(lake: Session, s3: Any) -> None:
    lake.execute("create table t (a varchar(5), n int)")
    put(s3, "in/a.csv", ",1\n  ,2\nx,\n")
    copy(lake, "in/", "csv", "t")
    assert rows(lake, "select a, n from t order by n nulls last") == [("", 1), ("  ", 2), ("x", None)]
    lake.execute("truncate t")
    copy(lake, "in/", "csv emptyasnull", "t")
    assert rows(lake, "select a, n from t order by n nulls last") == [(None, 1), ("  ", 2), ("x", None)]
    lake.execute("truncate t")
    copy(lake, "in/", "csv blanksasnull", "t")
    assert rows(lake, "select a, n from t order by n nulls last") == [(None, 1), (None, 2), ("x", None)]


def test_truncatecolumns_cuts_what_is_too_long(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", "1,abcdefgh,1.5,2020-01-02\n")
    copy(items, "in/", "csv truncatecolumns")
    assert rows(items, "select name from item") == [("abcde",)]


def test_acceptinvchars_replaces_what_is_no_utf8(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", b"1,a\xff,1.5,2020-01-02\n")
    copy(items, "in/", "csv acceptinvchars as '^'")
    assert rows(items, "select name from item") == [("a^",)]


def test_timeformat(lake: Session, s3: Any) -> None:
    lake.execute("create table t (at timestamp)")
    put(s3, "in/a.csv", "02.01.2020 03:04:05\n")
    copy(lake, "in/", "csv timeformat 'DD.MM.YYYY HH:MI:SS'", "t")
    put(s3, "epoch/a.csv", "1577934245\n")
    copy(lake, "epoch/", "csv timeformat 'epochsecs'", "t")
    assert rows(lake, "select distinct at::varchar from t") == [("2020-01-02 03:04:05",)]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("x,a,1.5,2020-01-02", "id", "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        ("2.5,a,1.5,2020-01-02", "id", "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ("-0x10,a,1.5,2020-01-02", "id", "Invalid digit, Value 'x', Pos 2, Type: Integer"),
        ("1e2,a,1.5,2020-01-02", "id", "Invalid digit, Value 'e', Pos 1, Type: Integer"),
        ("1_000,a,1.5,2020-01-02", "id", "Invalid digit, Value '_', Pos 1, Type: Integer"),
        ("9876543210,a,1.5,2020-01-02", "id", "Invalid value for type integer"),
        ("1,abcdef,1.5,2020-01-02", "name", "String length exceeds DDL length"),
        ("1,a,dear,2020-01-02", "price", "Invalid value for type numeric"),
        ("1,a,1234567.5,2020-01-02", "price", "Invalid value for type numeric"),
        ("1,a,1.5,2020-13-02", "day", "Invalid Date Format"),
    ],
)
def test_a_row_that_does_not_fit_is_a_load_error(
    items: Session, s3: Any, line: str, column: str, reason: str
) -> None:
    put(s3, "in/a.csv", f"1,good,1.5,2020-01-02\n{line}\n")
    state, message = fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} csv")
    assert state == "XX000"
    assert message == (
        "ERROR: Load into table 'item' failed. Check 'sys_load_error_detail' system table for details."
    )
    assert rows(items, "select count(*) from item") == [(0,)]
    found = "select file_name, line_number, column_name, error_message from sys_load_error_detail"
    assert rows(items, found) == [(f"s3://{BUCKET}/in/a.csv", 2, column, reason)]
    assert rows(items, "select filename, line_number, colname, err_reason from stl_load_errors") == rows(
        items, found
    )


@pytest.mark.parametrize(
    ("line", "reason"), [("1,a", "Delimiter not found"), ("1,a,1.5,2020-01-02,x", "Extra column(s) found")]
)
def test_a_line_with_another_number_of_fields_is_a_load_error(
    items: Session, s3: Any, line: str, reason: str
) -> None:
    put(s3, "in/a.csv", f"1,good,1.5,2020-01-02\n{line}\n")
    fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} csv")
    assert rows(items, "select line_number, error_message from sys_load_error_detail") == [(2, reason)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"1,a,1.5,2020-01-02,x", 1202), (b"9876543210,a,1.5,2020-01-02", 1204),
        (b"1,a,1.5,2020-13-02", 1205), (b"1.0,a,1.5,2020-01-02", 1207), (b"1,a", 1214),
        (b"1,a\xffb,1.5,2020-01-02", 1220),
    ],
)  # fmt: skip
@pytest.mark.parametrize("options", ["", "escape"])
def test_a_load_error_has_the_code_of_the_manual(
    items: Session, s3: Any, line: bytes, code: int, options: str
) -> None:
    put(s3, "in/a.txt", b"+1,good,1.5,2020-01-02\n" + line + b"\n")
    fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} delimiter ',' {options}")
    assert rows(items, "select line_number, err_code from stl_load_errors") == [(2, code)]


def test_what_is_not_utf8_is_told_in_hex(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", b"1,good,1.5,2020-01-02\n2,b\xe2\x82,1.5,2020-01-02\n")
    fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} csv")
    assert rows(items, "select line_number, error_message from sys_load_error_detail") == [
        (2, "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: e2 82")
    ]


def test_maxerror_lets_some_rows_fail(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", "x,a,1.5,2020-01-02\n2,b,1.5,2020-01-02\n")
    assert copy(items, "in/", "csv maxerror 1") == 1
    assert rows(items, "select id from item") == [(2,)]
    assert rows(items, "select count(*) from stl_load_errors") == [(1,)]


def test_a_manifest_lists_the_objects(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", "1,a,1.5,2020-01-02\n")
    put(s3, "in/b.csv", "2,b,1.5,2020-01-02\n")
    entries = [{"url": f"s3://{BUCKET}/in/a.csv", "mandatory": True}, {"url": f"s3://{BUCKET}/in/gone.csv"}]
    put(s3, "manifest", json.dumps({"entries": entries}))
    assert copy(items, "manifest", "csv manifest") == 1
    put(s3, "manifest", json.dumps({"entries": [entries[1] | {"mandatory": True}]}))
    assert (
        "gone.csv is mandatory"
        in fails(items, f"copy item from 's3://{BUCKET}/manifest' {ROLE} csv manifest")[1]
    )


def test_a_column_list_leaves_the_rest_to_their_defaults(lake: Session, s3: Any) -> None:
    lake.execute("create table t (id bigint identity(1,1), name varchar(5), kind varchar(5) default 'new')")
    put(s3, "in/a.csv", "x\ny\n")
    copy(lake, "in/", "csv", "t (name)")
    assert rows(lake, "select id, name, kind from t order by id") == [(1, "x", "new"), (2, "y", "new")]


def test_identity_columns_are_generated_unless_explicit_ids(lake: Session, s3: Any) -> None:
    lake.execute("create table t (id bigint identity(1,1), name varchar(5))")
    put(s3, "in/a.csv", "x\n")
    put(s3, "ids/a.csv", "77,y\n")
    copy(lake, "in/", "csv", "t")
    copy(lake, "ids/", "csv explicit_ids", "t")
    assert rows(lake, "select id, name from t order by id") == [(1, "x"), (77, "y")]


def test_jsonpaths(lake: Session, s3: Any) -> None:
    lake.execute("create table t (id int, name varchar(5))")
    put(s3, "in/a.json", '{"key": {"id": 1}, "names": ["x", "y"]}')
    put(s3, "paths.json", json.dumps({"jsonpaths": ["$.key.id", "$['names'][1]"]}))
    copy(lake, "in/", f"json 's3://{BUCKET}/paths.json'", "t")
    assert rows(lake, "select id, name from t") == [(1, "y")]


@pytest.mark.parametrize("option", ["csv lzop", "encrypted", "ssh", "format as orc", "csv noload"])
def test_an_option_that_is_not_known_is_an_error(items: Session, option: str) -> None:
    state, message = fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} {option}")
    assert state == "0A000"
    assert message.startswith("ERROR: not supported locally")


def test_parquet_text_that_is_only_marked_as_bytes_is_text(lake: Session, s3: Any) -> None:
    lake.execute("create table item (id int, name varchar(10))")
    names = pa.array(["Bücher".encode(), None], pa.binary())
    put(s3, "in/a.parquet", parquet(id=int32([1, 2]), name=names))
    assert copy(lake, "in/", "format as parquet") == 2
    assert rows(lake, "select * from item order by 1") == [(1, "Bücher"), (2, None)]


def test_parquet_takes_no_text_options(items: Session) -> None:
    message = fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} format parquet ignoreheader 1")[1]
    assert message == "ERROR: IGNOREHEADER argument is not supported for PARQUET based COPY"


def test_copy_needs_a_role_and_a_table(lake: Session) -> None:
    assert "IAM_ROLE" in fails(lake, f"copy item from 's3://{BUCKET}/in/' csv")[1]
    assert fails(lake, f"copy item from 's3://{BUCKET}/in/' iam_role default csv")[0] == "42P01"


def test_a_copy_rolls_back_with_its_transaction(items: Session, s3: Any) -> None:
    put(s3, "in/a.csv", "1,a,1.5,2020-01-02\n")
    items.execute("begin")
    copy(items, "in/", "csv")
    items.execute("rollback")
    assert rows(items, "select count(*) from item") == [(0,)]


def test_a_blank_line_is_a_load_error_unless_it_is_ignored(items: Session, s3: Any) -> None:
    put(s3, "in/a.txt", "1|a|1.5|2003-01-02\n\n2|b|2.5|2003-01-03\n\n")
    state, _ = fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE}")
    assert state == "XX000"
    assert rows(items, "select line_number, err_reason from stl_load_errors") == [(2, "Delimiter not found")]
    assert copy(items, "in/", "ignoreblanklines") == 2
    assert copy(items, "in/", "ignoreblanklines escape") == 2
    put(s3, "in/a.txt", gzip.compress(b"\r\n1|a|1.5|2003-01-02\r\n"))
    assert copy(items, "in/", "ignoreblanklines gzip") == 1


def test_blank_lines_in_quotes_and_of_one_column(lake: Session, s3: Any) -> None:
    lake.execute("create table note (id int, text varchar(20))")
    put(s3, "in/a.csv", '1,"a\n\nb"\n\n2,c\n')
    assert copy(lake, "in/", "csv ignoreblanklines", "note") == 2
    assert rows(lake, "select text from note order by id") == [("a\n\nb",), ("c",)]
    lake.execute("create table one (text varchar(20))")
    put(s3, "one/a.txt", "a\n\nb\n")
    assert fails(lake, f"copy one from 's3://{BUCKET}/one/' {ROLE}")[0] == "0A000"
    assert copy(lake, "one/", "ignoreblanklines", "one") == 2


def test_acceptanydate_loads_null_for_what_is_no_date(items: Session, s3: Any) -> None:
    put(s3, "in/a.txt", "1|a|1.5|00/00/00\n2|b|2.5|01-02-2003\n")
    assert fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} dateformat 'DD-MM-YYYY'")[0] == "XX000"
    assert copy(items, "in/", "acceptanydate dateformat 'DD-MM-YYYY'") == 2
    assert [str(row[0]) for row in rows(items, "select day from item order by id")] == ["None", "2003-02-01"]


@pytest.mark.parametrize(
    "options",
    [
        "format json 'auto' delimiter ','", "json 'auto' ignoreblanklines", "json 'auto' null as 'x'",
        "json 'auto' ignoreheader 1", "quote as '%'", "format parquet ignoreblanklines",
        "format parquet acceptanydate", "format parquet fillrecord", "csv escape",
    ],
)  # fmt: skip
def test_an_option_that_could_have_no_effect_is_refused(items: Session, options: str) -> None:
    assert fails(items, f"copy item from 's3://{BUCKET}/in/' {ROLE} {options}")[0] == "0A000"


def test_an_object_is_read_as_it_is_when_copy_runs(items: Session, s3: Any) -> None:
    put(s3, "in/a.txt", "1|a|1.5|2003-01-02\n")
    assert copy(items, "in/", "") == 1
    put(s3, "in/a.txt", "2|b|1.5|2003-01-02\n3|c|1.5|2003-01-02\n")
    assert copy(items, "in/", "") == 2
    assert rows(items, "select id from item order by id") == [(1,), (2,), (3,)]
