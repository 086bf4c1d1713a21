"""What the Data API lists of a database."""

import pytest

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


@pytest.fixture(scope="module", autouse=True)
def shop(execute):
    for sql in (
        "create schema shop",
        "create schema shipping",
        "create table shop.item (id bigint not null, title varchar(30), price numeric(7,2), sold date)",
        "create table shop.store (id int)",
        "create view shop.item_title as select title from shop.item",
    ):
        described = execute(sql)
        assert described["Status"] == "FINISHED", described


def test_databases_are_listed(data_api):
    assert "dev" in data_api.list_databases(**WHERE)["Databases"]


def test_schemas_are_listed_by_pattern(data_api):
    assert {"public", "shop", "shipping"} <= set(data_api.list_schemas(**WHERE)["Schemas"])
    assert data_api.list_schemas(SchemaPattern="sh%", **WHERE)["Schemas"] == ["shipping", "shop"]
    assert data_api.list_schemas(SchemaPattern="s_op", **WHERE)["Schemas"] == ["shop"]


def test_tables_and_views_are_listed_by_pattern(data_api):
    tables = data_api.list_tables(SchemaPattern="shop", **WHERE)["Tables"]
    assert [(table["schema"], table["name"], table["type"]) for table in tables] == [
        ("shop", "item", "TABLE"),
        ("shop", "item_title", "VIEW"),
        ("shop", "store", "TABLE"),
    ]
    found = data_api.list_tables(SchemaPattern="shop", TablePattern="item%", **WHERE)["Tables"]
    assert [table["name"] for table in found] == ["item", "item_title"]


def test_lists_are_paged(data_api):
    pages = data_api.get_paginator("list_tables").paginate(
        SchemaPattern="shop", PaginationConfig={"PageSize": 2}, **WHERE
    )
    assert [len(page["Tables"]) for page in pages] == [2, 1]


def test_a_table_is_described_in_the_order_of_its_columns(data_api):
    described = data_api.describe_table(Schema="shop", Table="item", **WHERE)
    columns = described["ColumnList"]

    assert described["TableName"] == "item"
    assert [column["name"] for column in columns] == ["id", "title", "price", "sold"]
    assert [column["typeName"] for column in columns] == ["int8", "varchar", "numeric", "date"]
    assert [column["nullable"] for column in columns] == [0, 1, 1, 1]
    assert columns[1]["length"] == 30
    assert (columns[2]["precision"], columns[2]["scale"]) == (7, 2)
    assert {column["schemaName"] for column in columns} == {"shop"}


def test_a_table_must_be_named(data_api):
    with pytest.raises(data_api.exceptions.ValidationException, match="Table must be given"):
        data_api.describe_table(**WHERE)


def test_a_user_who_does_not_exist_cannot_look(data_api):
    with pytest.raises(data_api.exceptions.ValidationException, match='user "nobody" does not exist'):
        data_api.list_schemas(ClusterIdentifier="redshift-etl", Database="dev", DbUser="nobody")
