"""What a statement can reach of this machine: its database and the objects it names, nothing else."""

import duckdb
import pytest
from redshift_engine import BUCKET, ROLE, fails, rows

from local_aws.redshift import Warehouse


@pytest.mark.parametrize(
    "sql",
    [
        "select content from read_text('{file}')",
        "select * from read_csv('{file}')",
        "select * from read_blob('{file}')",
        "select * from '{file}'",
        "create table loot as select * from read_csv('{file}')",
        "unload ('select content from read_text(''{file}'')') to 's3://lake/loot' {role} parallel off",
        "select * from read_csv('https://evil.example/a.csv')",
        "select * from read_csv('s3://lake/a.csv')",
    ],
)
def test_no_statement_reads_a_file_or_a_network(lake, s3, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("top,secret\n")
    _, message = fails(lake, sql.format(file=secret, role=ROLE))
    assert "secret\n" not in message
    assert "httpfs" not in message
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert rows(lake, "select 1") == [(1,)]


@pytest.mark.parametrize(
    "setting", ["enable_external_access = true", "allowed_directories = ['/']", "lock_configuration = false"]
)
def test_what_keeps_statements_in_cannot_be_switched_off(warehouse, tmp_path, setting):
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    cursor = warehouse.databases["dev"].connection.cursor()
    with pytest.raises(duckdb.InvalidInputException, match="the configuration has been locked"):
        cursor.execute(f"set {setting}")
    with pytest.raises(duckdb.PermissionException):
        cursor.execute(f"from read_text('{secret}')")


def test_a_database_in_a_file_is_read_written_and_opened_again(tmp_path):
    for number in range(1, 3):
        warehouse = Warehouse("files", endpoint_url="http://127.0.0.1:9", folder=tmp_path)
        session = warehouse.connect("dev", "awsuser")
        session.execute("create table if not exists kept (n int)")
        session.execute("insert into kept values (1)")
        warehouse.databases["dev"].connection.execute("force checkpoint")
        session.execute("insert into kept values (1)")
        assert rows(session, "select count(*) from kept") == [(2 * number,)]
        warehouse.close()


def test_what_does_not_fit_into_memory_goes_to_the_disk(monkeypatch):
    monkeypatch.setattr(
        "local_aws.redshift.warehouse._CONFIG",
        {"threads": 1, "memory_limit": "60MB", "autoload_known_extensions": False},
    )
    warehouse = Warehouse("small", endpoint_url="http://127.0.0.1:9")
    cursor = warehouse.databases["dev"].connection.cursor()
    cursor.execute("create temp table large as select n, hash(n)::varchar as text from range(3000000) t(n)")
    assert list(warehouse.scratch.iterdir())
    assert cursor.execute("select count(*) from large").fetchall() == [(3_000_000,)]
    warehouse.close()
    assert not warehouse.scratch.exists()
