"""UNLOAD to S3: formats, Redshift's file names, manifests, and what it refuses."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from redshift_engine import BUCKET, ROLE, fails, rows

from local_aws.redshift import Session


@pytest.fixture
def sold(lake: Session) -> Session:
    lake.execute("create table sold (id int, name varchar(20), price numeric(7,2), day date, good bool)")
    lake.execute("""
        insert into sold values
        (1, 'plain', 1.5, '2020-01-02', true),
        (2, 'a|b, "c"', null, '2020-01-02', false),
        (3, null, 3, '2020-01-03', null)
    """)
    return lake


def unload(
    session: Session, options: str, query: str = "select * from sold order by id", key: str = "out/"
) -> int:
    inner = query.replace("'", "''")
    return session.execute(f"unload ('{inner}') to 's3://{BUCKET}/{key}' {ROLE} {options}").row_count


def written(s3: Any) -> dict[str, str]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {o["Key"]: s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read().decode() for o in found}


def test_text_is_pipe_separated_in_one_file_a_slice(sold: Session, s3: Any) -> None:
    assert unload(sold, "") == 3
    assert written(s3) == {
        "out/0000_part_00": "1|plain|1.50|2020-01-02|t\n3||3.00|2020-01-03|\n",
        "out/0001_part_00": '2|a|b, "c"||2020-01-02|f\n',
    }


def test_parallel_off_writes_one_file_in_the_order_of_the_query(sold: Session, s3: Any) -> None:
    unload(sold, "parallel off", "select id from sold order by id desc")
    assert written(s3) == {"out/000": "3\n2\n1\n"}


def test_csv_with_header_quotes_what_needs_it(sold: Session, s3: Any) -> None:
    unload(sold, "format as csv header parallel off")
    assert written(s3)["out/000"] == (
        "id,name,price,day,good\n1,plain,1.50,2020-01-02,t\n"
        '2,"a|b, ""c""",,2020-01-02,f\n3,,3.00,2020-01-03,\n'
    )


def test_a_report_as_csv_with_header_parallel_off_cleanpath_and_manifest(sold: Session, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="out/000", Body=b"yesterday")
    s3.put_object(Bucket=BUCKET, Key="out/001", Body=b"yesterday")
    unload(sold, "format as csv header parallel off cleanpath manifest", "select id from sold order by id")
    found = written(s3)
    assert json.loads(found.pop("out/manifest")) == {"entries": [{"url": f"s3://{BUCKET}/out/000"}]}
    assert found == {"out/000": "id\n1\n2\n3\n"}


def test_text_options(sold: Session, s3: Any) -> None:
    unload(
        sold, "delimiter ';' addquotes null as 'NULL' parallel off", "select id, name from sold order by id"
    )
    assert written(s3)["out/000"] == '"1";"plain"\n"2";"a|b, "c""\n"3";NULL\n'
    unload(sold, "escape parallel off allowoverwrite", "select id, name from sold order by id")
    assert written(s3)["out/000"] == '1|plain\n2|a\\|b, \\"c\\"\n3|\n'


def test_json_is_one_object_a_line(sold: Session, s3: Any) -> None:
    unload(sold, "format json parallel off", "select id, name from sold order by id")
    lines = [json.loads(line) for line in written(s3)["out/000"].splitlines()]
    assert lines[1:] == [{"id": 2, "name": 'a|b, "c"'}, {"id": 3, "name": None}]


def test_gzip_and_extension(sold: Session, s3: Any) -> None:
    unload(sold, "csv gzip parallel off", "select id from sold order by id")
    body = s3.get_object(Bucket=BUCKET, Key="out/000.gz")["Body"].read()
    assert gzip.decompress(body) == b"1\n2\n3\n"
    unload(sold, "csv extension 'csv' parallel off", "select id from sold order by id", key="named/")
    assert written_key(s3, "named/") == ["named/000.csv"]


def written_key(s3: Any, prefix: str) -> list[str]:
    return [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_parquet_keeps_types(sold: Session, s3: Any) -> None:
    unload(
        sold,
        "format as parquet parallel off",
        "select id, price, day, sum(id) as total from sold group by 1, 2, 3 order by 1",
    )
    table = pq.read_table(io.BytesIO(s3.get_object(Bucket=BUCKET, Key="out/000.parquet")["Body"].read()))
    assert [str(field.type) for field in table.schema] == [
        "int32",
        "decimal128(7, 2)",
        "date32[day]",
        "int64",
    ]
    assert table.column("id").to_pylist() == [1, 2, 3]


def test_partition_by_writes_a_folder_a_value(sold: Session, s3: Any) -> None:
    unload(sold, "csv parallel off partition by (day)", "select id, day from sold order by id")
    assert written(s3) == {"out/day=2020-01-02/000": "1\n2\n", "out/day=2020-01-03/000": "3\n"}
    unload(
        sold, "csv parallel off cleanpath partition by (day) include", "select id, day from sold order by id"
    )
    assert written(s3)["out/day=2020-01-03/000"] == "3,2020-01-03\n"


def test_cleanpath_removes_only_the_partitions_that_receive_files(sold: Session, s3: Any) -> None:
    for key in ("day=2020-01-02/old", "day=2019-12-31/old", "day=2020-01-022/old", "other"):
        s3.put_object(Bucket=BUCKET, Key=f"out/{key}", Body=b"old")
    s3.put_object(Bucket=BUCKET, Key="outer", Body=b"old")
    unload(sold, "csv parallel off cleanpath partition by (day)", "select id, day from sold", key="out")
    assert set(written(s3)) == {
        "out/day=2019-12-31/old", "out/day=2020-01-022/old", "out/other", "outer",
        "out/day=2020-01-02/000", "out/day=2020-01-03/000",
    }  # fmt: skip


def test_a_verbose_manifest_tells_schema_and_counts(sold: Session, s3: Any) -> None:
    unload(sold, "csv parallel off manifest verbose", "select id, price from sold order by id")
    manifest = json.loads(written(s3)["out/manifest"])
    assert manifest["entries"] == [
        {"url": f"s3://{BUCKET}/out/000", "meta": {"content_length": 17, "record_count": 3}}
    ]
    assert manifest["meta"] == {"content_length": 17, "record_count": 3}
    assert manifest["schema"]["elements"][1] == {
        "name": "price",
        "type": {"base": "numeric", "precision": 7, "scale": 2},
    }


def test_a_verbose_manifest_counts_the_header_of_each_file(sold: Session, s3: Any) -> None:
    assert unload(sold, "csv header manifest verbose", "select id from sold") == 3
    manifest = json.loads(written(s3)["out/manifest"])
    assert [entry["meta"]["record_count"] for entry in manifest["entries"]] == [3, 2]
    assert manifest["meta"]["record_count"] == 5
    unload(sold, "parquet parallel off manifest verbose", "select id from sold", key="columns/")
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key="columns/manifest")["Body"].read())
    assert manifest["meta"]["record_count"] == 3


def test_a_target_that_is_not_empty_is_refused(sold: Session) -> None:
    unload(sold, "")
    state, message = fails(sold, f"unload ('select 1') to 's3://{BUCKET}/out/' {ROLE}")
    assert state == "XX000"
    assert message == (
        "ERROR: Specified unload destination on S3 is not empty. Consider using a different bucket / "
        "prefix, manually "
        "removing the target files in S3, or using the ALLOWOVERWRITE option."
    )
    unload(sold, "allowoverwrite")


def test_quotes_are_doubled_escaped_or_dollars(sold: Session, s3: Any) -> None:
    for number, query in enumerate(
        ("'select id from sold where name = ''plain'''", "'select id from sold where name = \\'plain\\''",
         "$$select id from sold where name = 'plain'$$")
    ):  # fmt: skip
        sold.execute(f"unload ({query}) to 's3://{BUCKET}/q{number}/' {ROLE} parallel off")
        assert written(s3)[f"q{number}/000"] == "1\n"


@pytest.mark.parametrize(
    ("query", "options", "text"),
    [
        ("select id from sold limit 1", "", "Limit clause is not supported"),
        ("select id from sold", "parquet header", "HEADER is not supported for UNLOAD to PARQUET"),
        ("select id from sold", "allowoverwrite cleanpath", "cannot be used together"),
        ("select id from sold", "csv escape", "not compatible"),
        ("select id from sold", "fixedwidth '5'", "not supported locally"),
        ("select id from sold", "encrypted", "not supported locally"),
        ("delete from sold", "", "not supported locally"),
        ("select nothing from sold", "", 'column "nothing" does not exist'),
        ("select id from sold", "partition by (day)", 'column "day" of PARTITION BY is not in the query'),
        ("select id from sold", "csv maxfilesize 1 mb", "MAXFILESIZE must be between"),
    ],
)
def test_what_unload_refuses(sold: Session, query: str, options: str, text: str) -> None:
    assert text in fails(sold, f"unload ('{query}') to 's3://{BUCKET}/out/' {ROLE} {options}")[1]


@pytest.mark.parametrize(("option", "encryption"), [("", "AES256"), ("encrypted auto", "aws:kms")])
def test_only_encrypted_auto_takes_the_default_encryption_of_the_bucket(
    sold: Session, s3: Any, option: str, encryption: str
) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/warehouse"}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)
    unload(sold, f"parquet parallel off manifest {option}")
    for key in written_key(s3, "out/"):
        assert s3.head_object(Bucket=BUCKET, Key=key)["ServerSideEncryption"] == encryption


def test_a_nested_limit_is_fine(sold: Session) -> None:
    assert unload(sold, "", "select id from (select id from sold order by id limit 2) as some") == 2


def test_what_was_unloaded_copies_back(sold: Session) -> None:
    unload(sold, "format parquet", "select id, name, price, day, good from sold")
    sold.execute("create table again (like sold)")
    sold.execute(f"copy again from 's3://{BUCKET}/out/' {ROLE} format parquet")
    assert rows(sold, "select * from again order by id") == rows(sold, "select * from sold order by id")


def test_maxfilesize_starts_another_file(lake: Session, s3: Any) -> None:
    lake.execute(
        "create table wide as select repeat('x', 1000000) as a, x.n from (select 1 as n union all select 2) x"
    )
    for _ in range(2):
        lake.execute("insert into wide select a, n from wide")
    unload(lake, "parallel off maxfilesize 5 mb", "select a from wide")
    assert written_key(s3, "out/") == ["out/000", "out/001"]


def test_a_query_without_rows_still_writes_its_header(sold: Session, s3: Any) -> None:
    assert unload(sold, "csv header parallel off", "select id from sold where id > 9") == 0
    assert written(s3) == {"out/000": "id\n"}
