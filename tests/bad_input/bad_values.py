"""Values that people and machines must not give: parameters, settings, scripts. One table for each."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

INJECTION = "x'; drop table tpcds.store_sales; --"


class BadParam(NamedTuple):
    """A parameter of a run, as the form or the run's conf gives it, that the run refuses."""

    dag_id: str
    param: str
    value: Any


BAD_PARAMS = (
    BadParam("store_sales_etl", "refresh_date", "2003-02-30"),
    BadParam("store_sales_etl", "refresh_date", "2003-13-01"),
    BadParam("store_sales_etl", "refresh_date", "0000-00-00"),
    BadParam("store_sales_etl", "refresh_date", "20030102"),
    BadParam("store_sales_etl", "refresh_date", "yesterday"),
    BadParam("store_sales_etl", "refresh_date", "2003-01-02T00:00:00Z"),
    BadParam("store_sales_etl", "refresh_date", "2003-01-02'; drop table tpcds.store_sales; --"),
    BadParam("store_sales_etl", "refresh_date", "2003-01-02 or 1=1"),
    BadParam("store_sales_etl", "refresh_date", "{{ conn.aws_default.password }}"),
    BadParam("store_sales_etl", "refresh_date", "../2003-01-02"),
    BadParam("store_sales_etl", "refresh_date", 20030102),
    BadParam("store_sales_etl", "refresh_date", ["2003-01-02"]),
    BadParam("store_sales_etl", "region", ""),
    BadParam("store_sales_etl", "region", "r" * 41),
    BadParam("store_sales_etl", "region", None),
    BadParam("store_sales_etl", "region", {"a": "b"}),
    BadParam("store_sales_etl", "city", ""),
    BadParam("store_sales_etl", "city", "c" * 61),
    BadParam("store_sales_etl", "city", 42),
    BadParam("store_sales_etl", "state", "Ohio"),
    BadParam("store_sales_etl", "state", "O"),
    BadParam("store_sales_etl", "state", "OH' or '1'='1"),
    BadParam("store_sales_etl", "row_count_factor", 1),
    BadParam("store_sales_etl", "row_count_factor", -20),
    BadParam("store_sales_etl", "row_count_factor", "20"),
    BadParam("store_sales_etl", "row_count_factor", "20) or (1=1"),
    BadParam("reviews_etl", "first_year", "2015"),
    BadParam("reviews_etl", "first_year", 1994),
    BadParam("reviews_etl", "first_year", 2101),
    BadParam("reviews_etl", "first_year", 2015.5),
    BadParam("reviews_etl", "first_year", "2015 or 1=1"),
    BadParam("reviews_etl", "first_year", None),
    BadParam("reviews_etl", "top_n", 0),
    BadParam("reviews_etl", "top_n", 1001),
    BadParam("reviews_etl", "top_n", "10; drop table public.reviews"),
    BadParam("reviews_etl", "top_n", True),
)

# Any text may be the name of a city or a region: these are bound, name no city, and do nothing else.
HOSTILE_TEXTS = (
    INJECTION,
    "Bethel' or '1'='1",
    "Bethel\\' or 1=1 --",
    "Bethel''); delete from tpcds.store; select ('",
    "$$; drop table tpcds.store; $$",
    ":refresh_date",
    "{{ var.value.password }}{% raw %}",
    "/* Bethel */ --",
    'Bethel"; drop schema tpcds cascade; --',
    "Bethel\u2019\u202e\u0301\U0001f4a5",
    "Bethel\n; drop table tpcds.store",
    "%s %(city)s $1 ?",
)

# A setting's value, each refused with a sentence that names the key.
BAD_SETTINGS = (
    ("database", "dev; drop database dev"),
    ("cluster_identifier", "redshift-etl' --"),
    ("cluster_identifier", "redshift--etl"),
    ("db_user", "awsuser'; --"),
    ("db_user", "aws user"),
    ("iam_role_arn", "arn:aws:iam::123456789012:role/r' access_key_id 'x"),
    ("iam_role_arn", "default"),
    ("data_bucket", "s3://redshift-etl-data/"),
    ("data_bucket", "bucket' iam_role 'other"),
    ("data_bucket", "bucket/../other"),
    ("glue_job_name", "reviews-etl; rm -rf /"),
    ("reviews_location", "s3://redshift-etl-data/raw/reviews"),
    ("reviews_location", "s3://redshift-etl-data/raw/' --/"),
    ("reviews_location", "file:///etc/"),
    ("quicksight_data_set_id", "id/../other"),
    ("sns_topic_arn", "redshift-etl-alerts"),
    ("sns_topic_arn", "arn:aws:sns:us-east-1:123456789012:a b"),
    ("timezone", "Mars/Olympus"),
    ("timezone", "../../etc/passwd"),
    ("schedule", "at five"),
    ("schedule", "61 25 * * *"),
    ("deadline", "25:00"),
    ("pause_cluster", "perhaps"),
    ("sql_dir", "sql"),
    ("secret_arn", "redshift-etl/awsuser"),
)


class BadScript(NamedTuple):
    """A `.sql` file or its parameters that the Data API could not take."""

    kind: str
    sql: str
    parameters: dict[str, Any]
    error: str


BAD_SCRIPTS = (
    BadScript(
        "40 statements and the label",
        "select 1;\n" * 40,
        {},
        r"^bad\.sql holds 40 statements, but one batch .* at most 39",
    ),
    BadScript(
        "a statement of 100 KB and a byte",
        "select '" + "x" * (100 * 1024 - 8) + "'",
        {},
        r"^bad\.sql, statement 1 of 1, is 102,401 bytes long",
    ),
    BadScript(
        "100 KB of characters of two bytes",
        "select '" + "ü" * (50 * 1024) + "'",
        {},
        r"^bad\.sql, statement 1 of 1, is 102,409 bytes long",
    ),
    BadScript("no statement", " \n", {}, r"^bad\.sql holds no statement"),
    BadScript("only comments", "-- nothing\n/* here */;;", {}, r"^bad\.sql holds no statement"),
    BadScript(
        "a NUL character", "select 1;\nselect '\0'", {}, r"^bad\.sql, statement 2 of 2, holds a NUL character"
    ),
    BadScript(
        "a name without a value",
        "select :day",
        {},
        r"^bad\.sql, statement 1 of 1, uses :day, which has no value",
    ),
    BadScript("a value without a name", "select 1", {"day": "x"}, r"^bad\.sql uses :day in no statement"),
    BadScript(
        "a name only in a string", "select ':day'", {"day": "x"}, r"^bad\.sql uses :day in no statement"
    ),
    BadScript("an empty value", "select :day", {"day": ""}, r"^bad\.sql is given '' for :day"),
    BadScript("a value that is NULL", "select :day", {"day": None}, r"^bad\.sql is given None for :day"),
    BadScript("a value that is a number", "select :day", {"day": 7}, r"^bad\.sql is given 7 for :day"),
)

# The same for the scripts of the Glue job.
BAD_JOB_SCRIPTS = (
    BadScript(
        "a string that never ends",
        "select 1;\nselect 'x",
        {},
        r"^bad\.sql, line 2: a string starts that never ends",
    ),
    BadScript(
        "a quoted name that never ends",
        'select "x',
        {},
        r"^bad\.sql, line 1: a quoted name starts that never ends",
    ),
    BadScript(
        "a comment that never ends",
        "select 1 /* x",
        {},
        r"^bad\.sql, line 1: a comment starts that never ends",
    ),
    BadScript("a transaction of its own", "begin; select 1; commit", {}, r"^bad\.sql, statement 1 is BEGIN"),
    BadScript(
        "an argument between quotes",
        "copy t from '${place}'",
        {"place": "x"},
        r"^bad\.sql, statement 1 has \$\{place\} between quotes",
    ),
    BadScript(
        "an argument without a value",
        "copy t from ${place}",
        {},
        r"^bad\.sql, statement 1 uses \$\{place\}, which has no value",
    ),
    BadScript(
        "a value that nobody uses",
        "select 1",
        {"top_n": "1"},
        r"^bad\.sql uses neither :top_n nor \$\{top_n\}",
    ),
    BadScript(
        "a NUL in an argument",
        "copy t from ${place}",
        {"place": "a\0b"},
        r"^The argument 'place' of bad\.sql, statement 1 is refused: it holds a NUL",
    ),
    BadScript(
        "an unless that is no query",
        "-- unless: drop table t\nselect 1",
        {},
        r"^bad\.sql, statement 1: after '-- unless:' stands one query",
    ),
    BadScript(
        "an unless of two statements",
        "-- unless: select 1; drop table t\nselect 1",
        {},
        r"^bad\.sql, statement 1: after '-- unless:' stands one query",
    ),
    BadScript(
        "an unless before nothing",
        "select 1; -- unless: select 1",
        {},
        r"^bad\.sql, statement 2: an '-- unless:' must stand directly before",
    ),
)


def _manifest(url: str, size: int | None) -> bytes:
    entry: dict[str, Any] = {"url": url}
    if size is not None:
        entry["meta"] = {"content_length": size}
    return json.dumps({"entries": [entry], "meta": {"record_count": 1}}).encode()


_BUCKET = "s3://redshift-etl-data"
_NO_MANIFEST = r"{manifest} is not the manifest of an UNLOAD"

# What an UNLOAD's manifest must not hold.
BAD_MANIFESTS = (
    ("empty", b"", _NO_MANIFEST),
    ("cut off", b'{"entries": [', _NO_MANIFEST),
    ("a list", b"[]", _NO_MANIFEST),
    ("without entries", b'{"meta": {"record_count": 1}}', _NO_MANIFEST),
    ("without a size", _manifest(f"{_BUCKET}/x", None), _NO_MANIFEST),
    ("not UTF-8", b"{\x93entries\x94: []}", _NO_MANIFEST),
    (
        "of a file that is not there",
        _manifest(f"{_BUCKET}/gone", 1),
        rf"{_BUCKET}/gone is in its manifest and not in S3",
    ),
    (
        "of another bucket",
        _manifest("s3://other/x", 1),
        r"s3://other/x is in {manifest} and not in bucket redshift-etl-data",
    ),
    (
        "of another size",
        _manifest(f"{_BUCKET}/reports/city/refresh_date=2003-01-02/csv/000", 7),
        r"csv/000 has 4 bytes and its manifest says 7",
    ),
)

# What the pointer to the latest report must not hold.
BAD_POINTERS = (
    ("empty", b""),
    ("not JSON", b"latest: 2003-01-01"),
    ("a list", b'["2003-01-01"]'),
    ("without a day", b'{"report": "city"}'),
)

# What the manifest of the reviews' report must not hold.
BAD_REVIEW_MANIFESTS = (b"", b"[", b"[]", b"{}", b'{"entries": 1}', b'{"entries": [{}]}')
