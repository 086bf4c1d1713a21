"""The job against a running warehouse: what is in the tables afterwards, and what the log says."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from job_outcome import BUCKET, Outcome

from glue.redshift_sql.runner import Runner

Run = Callable[..., Outcome]
Query = Callable[[str], list[tuple[Any, ...]]]


def test_a_file_without_a_trailing_semicolon_executes_its_last_statement(run: Run, query: Query) -> None:
    outcome = run("create table last_one (i int); insert into last_one values (1), (2)")
    assert outcome.error is None
    assert query("select count(*) from last_one") == [(2,)]


def test_each_statement_is_logged_with_number_first_words_rows_and_seconds(run: Run) -> None:
    outcome = run(
        "create table logged (i int);\n\ninsert into logged\nvalues (1), (2);\nselect * from logged;"
    )
    lines = [line.partition(" ")[2] for line in outcome.log.splitlines()]
    assert lines[0].startswith("sql/test.sql holds 3 statements; connected to Login(secret='runner/awsuser'")
    assert lines[1] == "sql/test.sql, statement 1 of 3: create table logged (i int)"
    assert lines[3] == "sql/test.sql, statement 2 of 3: insert into logged values (1), (2)"
    assert lines[4].startswith("sql/test.sql, statement 2 of 3 took 0.")
    assert lines[4].endswith(" s, 2 rows")
    assert lines[6].endswith(" s, 2 rows returned")


def test_a_failure_names_file_statement_text_and_reason_and_rolls_back(run: Run, query: Query) -> None:
    query("create table kept (i int)")
    query("insert into kept values (7)")
    outcome = run("delete from kept;\ninsert into kept values (1);\nselect * from\n  nowhere;\nselect 1")
    assert outcome.error is not None
    assert outcome.error.startswith("sql/test.sql, statement 3 of 4, failed: ")
    assert "nowhere" in outcome.error.partition(" -- ")[0]
    assert outcome.error.endswith(" -- select * from nowhere")
    assert query("select i from kept") == [(7,)]


def test_statements_before_a_lone_one_stay_committed_and_the_error_says_so(run: Run, query: Query) -> None:
    outcome = run("create table early (i int); vacuum early; insert into early values (1); select no")
    assert outcome.error is not None
    assert "statement 4 of 4, failed: " in outcome.error
    assert "(statements before 3 are committed)" in outcome.error
    assert query("select count(*) from early") == [(0,)]


def test_an_argument_is_a_value_and_never_sql(run: Run, query: Query) -> None:
    evil = "x'); drop table named; --\\"
    outcome = run(
        "create table named (a varchar(100), b varchar(100));"
        "insert into named values (:name, ${name});"
        "insert into named select :name, b from named where b = :name",
        name=evil,
    )
    assert outcome.error is None
    assert query("select a, b from named") == [(evil, evil), (evil, evil)]
    assert evil not in outcome.log


def test_arguments_come_from_params_or_from_repeated_param(run: Run, query: Query) -> None:
    insert = "create table if not exists given (a int, b varchar(10)); insert into given values (:a, :b)"
    assert run(insert, a="1", b="x=y").error is None
    assert run(insert, "--param", "a=1", "--param", "b=x=y").error is None
    assert query("select distinct a, b from given") == [(1, "x=y")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--params", "a=1"], "--params is not JSON"),
        (["--params", "[1]"], "--params is not a JSON object of strings"),
        (["--params", '{"a": 1}'], "--params is not a JSON object of strings"),
        (["--param", "a"], "--param is not name=value"),
        (["--params", '{"a": "1"}', "--param", "a=2"], "The argument 'a' is given twice"),
    ],
)
def test_arguments_of_the_wrong_form_are_refused(run: Run, more: list[str], expected: str) -> None:
    error = run("select :a", *more).error
    assert error is not None
    assert error.startswith(expected)


def test_the_arguments_that_glue_adds_are_ignored(run: Run) -> None:
    added = [
        "--scriptLocation",
        "s3://b/x.py",
        "--enable-metrics",
        "--job-language",
        "python",
        "--TempDir",
        "s3://b/",
    ]
    assert run("select 1", *added, "library-set", "analytics").error is None


def test_a_missing_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from glue.redshift_sql import job

    with pytest.raises(SystemExit) as ended:
        job.main("reviews-etl", ["--file", "a.sql", "--db", "dev", "--bucket", "b"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("the following arguments are required: --db_creds\n")


def test_the_schema_file_can_run_twice(run: Run, aws: Callable[[str], Any], query: Query) -> None:
    """The original's could not: neither its schema nor its tables knew `if not exists`."""
    aws("s3").create_bucket(Bucket="lake")
    sql = """
        create external schema if not exists lake from data catalog database 'lake'
        iam_role ${role} create external database if not exists;

        -- unless: select 1 from svv_external_tables
        --         where schemaname = 'lake' and tablename = 'reviews'
        create external table lake.reviews (review_id varchar(15), stars int)
        partitioned by (product_category varchar(30)) stored as parquet location ${location};

        alter table lake.reviews add if not exists
        partition (product_category = 'Health_&_Personal_Care') location ${partition};

        create table if not exists public.lake_reviews (review_id varchar(15), stars int)
    """
    arguments = {
        "role": "arn:aws:iam::123456789012:role/redshift-etl-warehouse",
        "location": "s3://lake/raw/reviews/",
        "partition": "s3://lake/raw/reviews/product_category=Health_&_Personal_Care/",
    }
    first, second = run(sql, **arguments), run(sql, **arguments)
    assert first.error is None
    assert second.error is None
    assert "skipped" not in first.log
    assert "statement 2 of 4 skipped, its unless returned a row: create external table lake" in second.log
    assert query("select count(*) from svv_external_partitions where schemaname = 'lake'") == [(1,)]
    assert run("drop table lake.reviews; drop table public.lake_reviews").error is None
    assert query("select 1 from svv_external_tables where schemaname = 'lake'") == []


def test_timeout_query_group_and_application_are_set(run: Run, server: Any) -> None:
    assert run("select 1", "--statement_timeout", "7").error is None
    sent = [record for record in server._history.records() if record["name"] == "reviews-etl"]
    texts = [record["sqls"][0] for record in sent]
    assert "set statement_timeout to 7000" in texts
    assert "set query_group to 'sql/test.sql'" in texts


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"password": "wrong-pass-word"}, "Database dev at 127.0.0.1:"),
        ({"password": None}, "Secret broken has no key password: store username and password in it."),
        ({"username": ""}, "Secret broken has no key username: store username and password in it."),
        ({"host": None}, "Secret broken has no key host: store it, or give the job the argument --host."),
        ({"port": None}, "Secret broken has no key port: store it, or give the job the argument --port."),
        ({"port": "x"}, "Secret broken has a port that is no number"),
        ({"ssl": "false"}, "Secret broken has an ssl that is neither true nor false"),
        ({"ssl": True}, "Database dev at 127.0.0.1:"),
        (
            {"port": 1},
            "Database dev at 127.0.0.1:1 refuses user awsuser of secret broken, or cannot be reached",
        ),
        ("no JSON", "Secret broken is not a JSON object"),
        (None, "Secret broken cannot be read: "),
    ],
)
def test_a_secret_that_does_not_do_is_one_clear_error(
    run: Run, aws: Callable[[str], Any], login: dict[str, Any], content: Any, expected: str
) -> None:
    secrets = aws("secretsmanager")
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(login | content)
        secrets.create_secret(Name="broken", SecretString=text)
    try:
        outcome = run("select 1", secret="broken")
    finally:
        if content is not None:
            secrets.delete_secret(SecretId="broken", ForceDeleteWithoutRecovery=True)
    assert outcome.error is not None
    assert outcome.error.startswith(expected)
    assert "\n" not in outcome.error
    assert "wrong-pass-word" not in outcome.error + outcome.log


@pytest.fixture
def managed(aws: Callable[[str], Any], login: dict[str, Any]) -> Iterator[str]:
    """A master password that Redshift manages: its secret says who logs in, but not where."""
    secrets = aws("secretsmanager")
    content = {name: login[name] for name in ("username", "password", "ssl")}
    secrets.create_secret(Name="managed", SecretString=json.dumps(content))
    yield "managed"
    secrets.delete_secret(SecretId="managed", ForceDeleteWithoutRecovery=True)


def test_the_job_says_where_the_cluster_is_if_the_secret_does_not(
    run: Run, managed: str, login: dict[str, Any]
) -> None:
    where = ["--host", login["host"], "--port", str(login["port"])]
    assert run("select 1", *where, secret=managed).error is None


def test_where_the_cluster_is_comes_from_the_secret_first(run: Run) -> None:
    assert run("select 1", "--host", "nowhere.invalid", "--port", "1").error is None


def test_the_secret_can_be_named_by_its_arn(run: Run, aws: Callable[[str], Any]) -> None:
    arn = aws("secretsmanager").describe_secret(SecretId="runner/awsuser")["ARN"]
    assert run("select 1", secret=arn).error is None


def test_no_password_in_sql_reaches_the_log_or_the_error(run: Run) -> None:
    """One variant of the original printed the secret and the connection string."""
    outcome = run("create user someone password 'Secret123'; create user password 'Secret123")
    assert outcome.error is not None
    assert "Secret123" not in outcome.error + outcome.log
    failed = run("select * from nowhere where x = 'a' -- password 'Secret123'\n and 1 = 1")
    assert failed.error is not None
    assert "Secret123" not in failed.error + failed.log


def test_a_script_that_does_not_exist_is_one_clear_error(run: Run) -> None:
    error = run("select 1", "--file", "sql/other.sql").error
    assert error is not None
    assert error.startswith(f"s3://{BUCKET}/sql/other.sql cannot be read: ")
    assert "NoSuchKey" in error


def test_a_script_that_is_no_text_is_one_clear_error(run: Run) -> None:
    error = run(b"select '\xe9'").error
    assert error is not None
    assert error.startswith(f"s3://{BUCKET}/sql/test.sql is not UTF-8 text")


def test_a_byte_order_mark_is_no_statement(run: Run) -> None:
    assert run("﻿select 1".encode()).error is None


def test_a_question_mark_that_the_driver_would_misread_is_refused_first(run: Run, query: Query) -> None:
    outcome = run(r"create table misread (i int); insert into misread select :i where 'it\'s ?' = 'x'", i="1")
    assert outcome.error is not None
    assert "statement 2 of 2, cannot be sent" in outcome.error
    assert query("select count(*) from svv_tables where table_name = 'misread'") == [(0,)]
    assert (
        run("create table plain (i int, t varchar(9)); insert into plain values (:i, 'what?')", i="1").error
        is None
    )
    assert query("select t from plain") == [("what?",)]


def test_a_connection_lost_half_way_is_one_clear_error(
    run: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    query("create table half (i int)")
    execute = Runner._execute

    def cut(self: Runner, sent: Any) -> None:
        if "2" in sent.sql:
            self._connection._usock.shutdown(socket.SHUT_RDWR)
        execute(self, sent)

    monkeypatch.setattr(Runner, "_execute", cut)
    outcome = run("insert into half values (1); insert into half values (2)")
    assert outcome.error is not None
    assert outcome.error.startswith("sql/test.sql, statement 2 of 2, failed: ")
    assert outcome.error.endswith(" -- insert into half values (2)")
    assert "The connection is lost" in outcome.log
    assert query("select count(*) from half") == [(0,)]
