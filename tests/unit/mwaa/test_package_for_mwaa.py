"""The package is what MWAA lays out: complete, importable alone, and the same bytes every time."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from laptop.environment import PROJECT, airflow_environment
from mwaa.package import digest, package


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    package(tmp_path / "one")
    package(tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_everything_airflow_needs_is_there_and_nothing_of_include(tmp_path: Path) -> None:
    names = {str(path.relative_to(tmp_path / "dist")) for path in package(tmp_path / "dist")}
    dags = {f"mwaa/dags/{path.name}" for path in (PROJECT / "dags").glob("*.py")}
    sql = {f"mwaa/dags/sql/{path.relative_to(PROJECT / 'sql')}" for path in (PROJECT / "sql").rglob("*.sql")}
    assert dags | sql | {"mwaa/plugins.zip", "mwaa/requirements.txt", "mwaa/dags/.airflowignore"} <= names
    assert sum(name.startswith("glue/redshift_sql-") and name.endswith(".whl") for name in names) == 1
    assert not any("include" in name or "__pycache__" in name for name in names)


def test_the_plugins_import_from_the_archive_alone(tmp_path: Path) -> None:
    package(tmp_path / "dist")
    with zipfile.ZipFile(tmp_path / "dist" / "mwaa" / "plugins.zip") as archive:
        archive.extractall(tmp_path / "plugins")
    code = "import redshift_etl.notifications.sns, redshift_etl.operators.once as m; print(m.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "plugins"), "AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(tmp_path / "plugins") in done.stdout


def test_the_check_tells_which_package_it_came_with(tmp_path: Path) -> None:
    """So the deployment sees, through Airflow alone, that its own package was read and not an older one."""
    package(tmp_path)
    name = digest(tmp_path)
    check = tmp_path / "mwaa" / "dags" / "deployment_check.py"
    assert (
        f'description="Selects 1 on the warehouse: the deployment works, package {name}"' in check.read_text()
    )
    (tmp_path / "mwaa" / "dags" / "sql" / "reviews" / "etl.sql").write_text("select 1;\n")
    assert digest(tmp_path) != name


COUNTED = """
import json, pathlib, sys
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(dag_folder=sys.argv[1], bundle_path=pathlib.Path(sys.argv[1]), bundle_name="d")
assert not bag.import_errors, bag.import_errors
pause = {dag_id: dag.get_task("pause_cluster").dag_ids for dag_id, dag in bag.dags.items()}
timeout = {
    f"{dag_id} at its time limit": callback.keywords["dag_ids"]
    for dag_id, dag in bag.dags.items() for callback in dag.on_failure_callback or []
    if hasattr(callback, "keywords")
}
print(json.dumps([sorted(bag.dags), pause | timeout]))
"""


def test_no_dag_pauses_the_cluster_under_another(tmp_path: Path) -> None:
    """A pipeline that ended while the deployment was checked paused the cluster under the check."""
    package(tmp_path / "dist")
    environment = airflow_environment(home=tmp_path, web_port=1, aws_endpoint="http://127.0.0.1:9")
    environment |= {"AIRFLOW__REDSHIFT_ETL__PAUSE_CLUSTER": "true"}
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, str(tmp_path / "dist" / "mwaa" / "dags")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    dag_ids, counted = json.loads(done.stdout.splitlines()[-1])
    assert dag_ids == ["deployment_check", "reviews_etl", "store_sales_etl"]
    assert len(counted) == 5
    assert {who: sorted(others) for who, others in counted.items()} == dict.fromkeys(counted, dag_ids)
