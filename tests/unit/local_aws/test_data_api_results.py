"""Results: typed fields, metadata, pages, CSV."""

from datetime import timedelta

import pytest

from local_aws.redshift import Column, Result
from local_aws.redshift_data import models, results


def test_every_type_arrives_in_its_field(execute, data_api):
    described = execute(
        "select true as b, 1::int2 as i2, 2::int4 as i4, 3::int8 as i8, 1.5::float8 as f, "
        "12.30::numeric(7,2) as n, 'text'::varchar(10) as v, date '2003-01-02' as d, "
        "timestamp '2003-01-02 03:04:05.5' as t, null::int as nothing"
    )
    result = data_api.get_statement_result(Id=described["Id"])

    assert result["Records"] == [
        [
            {"booleanValue": True},
            {"longValue": 1},
            {"longValue": 2},
            {"longValue": 3},
            {"doubleValue": 1.5},
            {"stringValue": "12.30"},
            {"stringValue": "text"},
            {"stringValue": "2003-01-02"},
            {"stringValue": "2003-01-02 03:04:05.5"},
            {"isNull": True},
        ]
    ]
    columns = {column["name"]: column for column in result["ColumnMetadata"]}
    kinds = ["bool", "int2", "int4", "int8", "float8", "numeric", "varchar", "date", "timestamp", "int4"]
    assert [column["typeName"] for column in result["ColumnMetadata"]] == kinds
    assert (columns["n"]["precision"], columns["n"]["scale"]) == (7, 2)
    assert columns["i4"]["isSigned"] is True
    assert result["TotalNumRows"] == 1


def test_an_empty_result_set_is_a_result_set(execute, data_api):
    described = execute("select 1 as n where 1 = 0")
    result = data_api.get_statement_result(Id=described["Id"])

    assert described["HasResultSet"] is True
    assert described["ResultRows"] == 0
    assert result["Records"] == []
    assert result["TotalNumRows"] == 0
    assert [column["name"] for column in result["ColumnMetadata"]] == ["n"]


def test_a_long_result_comes_in_pages(execute, data_api):
    execute("create table many (n int)")
    execute(f"insert into many values {', '.join(f'({n})' for n in range(2500))}")
    described = execute("select n from many order by n")
    pages = list(data_api.get_paginator("get_statement_result").paginate(Id=described["Id"]))

    assert [len(page["Records"]) for page in pages] == [1000, 1000, 500]
    assert {page["TotalNumRows"] for page in pages} == {2500}
    assert [row[0]["longValue"] for page in pages for row in page["Records"]] == list(range(2500))


def test_wide_rows_make_shorter_pages():
    wide = Result("SELECT", (Column("t", "varchar", length=65535),), [("x" * 60_000,)] * 100, 100)
    page = results.json_page(wide, None)

    assert 10 < len(page["Records"]) < 20
    assert len(results.json_page(wide, page["NextToken"])["Records"]) == len(page["Records"])


def test_csv_results_come_through_the_second_operation(execute, data_api):
    described = execute("select 1 as a, 'x,\"y' as b, null as c", ResultFormat="CSV")
    result = data_api.get_statement_result_v2(Id=described["Id"])

    assert described["ResultFormat"] == "CSV"
    assert result["ResultFormat"] == "CSV"
    assert result["Records"] == [{"CSVRecords": 'a,b,c\r\n1,"x,""y",\r\n'}]
    with pytest.raises(data_api.exceptions.ValidationException, match="use GetStatementResultV2"):
        data_api.get_statement_result(Id=described["Id"])


def test_a_json_result_is_refused_as_csv(execute, data_api):
    described = execute("select 1")
    with pytest.raises(data_api.exceptions.ValidationException, match="use GetStatementResult"):
        data_api.get_statement_result_v2(Id=described["Id"])


def test_getting_the_result_can_wait_for_it(data_api):
    where = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}
    statement = data_api.execute_statement(Sql="select 42", **where)["Id"]
    result = data_api.get_statement_result(Id=statement, WaitTimeSeconds=10)
    assert result["Records"] == [[{"longValue": 42}]]


def test_statements_are_forgotten_after_a_day(execute, data_api, monkeypatch):
    statement = execute("select 1", StatementName="old")["Id"]
    monkeypatch.setattr(models, "RETENTION", timedelta(0))

    with pytest.raises(data_api.exceptions.ResourceNotFoundException):
        data_api.describe_statement(Id=statement)
    assert data_api.list_statements(StatementName="old")["Statements"] == []


def test_the_oldest_results_make_room_for_new_ones(execute, data_api, monkeypatch):
    first = execute("select 'the first' as t")
    second = execute("select 'the second' as t")
    monkeypatch.setattr(models, "MAX_RESULT_BYTES", 10)
    third = execute("select 'the third' as t")

    assert data_api.get_statement_result(Id=third["Id"])["TotalNumRows"] == 1
    for old in (first, second):
        with pytest.raises(data_api.exceptions.ResourceNotFoundException):
            data_api.get_statement_result(Id=old["Id"])
        assert data_api.describe_statement(Id=old["Id"])["Status"] == "FINISHED"
