"""The DAGs parsed in a process of their own: with other settings, without I/O, and the same each time."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from laptop.environment import PROJECT
from project_dags import DAG_IDS

PARSE = """
import json, pathlib, sys
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = BundleDagBag(dag_folder=sys.argv[1], bundle_path=pathlib.Path(sys.argv[1]), bundle_name="d")
assert bag.dags and not bag.import_errors, bag.import_errors
dag = bag.dags[sys.argv[2]]
"""
GRAPH = """
graph = {t.task_id: [sorted(t.upstream_task_ids), t.is_setup, t.is_teardown] for t in dag.tasks}
callbacks = [getattr(c, "func", type(c)).__name__ for c in dag.on_failure_callback]
print(json.dumps({"tasks": graph, "callbacks": callbacks}))
"""
# The days that Airflow makes runs for at the start, and after one that was loaded four days ago.
DAYS = """
import pendulum
from airflow.timetables.base import DataInterval, TimeRestriction
dag = DagSerialization.from_dict(DagSerialization.to_dict(dag))
limits = TimeRestriction(earliest=dag.start_date, latest=None, catchup=dag.catchup)
def next_day(last):
    found = dag.timetable.next_dagrun_info(last_automated_data_interval=last, restriction=limits)
    return found.data_interval.start.in_tz("America/New_York").to_date_string()
now = pendulum.now("America/New_York")
loaded = now.subtract(days=4).replace(hour=6, minute=0, second=0, microsecond=0)
after = next_day(DataInterval(loaded, loaded.add(days=1)))
print(json.dumps([next_day(None), after, loaded.add(days=1).to_date_string()]))
"""

# The days before which Airflow leaves tasks out, and those of a backfill.
STARTS = """
import pendulum
dag = DagSerialization.from_dict(DagSerialization.to_dict(dag))
def day(moment):
    return moment.in_tz("America/New_York").to_date_string()
ends = [pendulum.datetime(2003, 1, n, tz="America/New_York") for n in (1, 3)]
backfill = [day(info.data_interval.start) for info in dag.iter_dagrun_infos_between(*ends)]
print(json.dumps([sorted({day(task.start_date) for task in dag.tasks}), backfill]))
"""


def parsed(dag_id: str, script: str, **settings: str) -> Any:
    """Parse a DAG in a process of its own, with other settings; what the script prints of it."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "plugins")}
    environment |= {f"AIRFLOW__REDSHIFT_ETL__{key.upper()}": value for key, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", PARSE + script, str(PROJECT / "dags"), dag_id],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def graph(dag_id: str, **settings: str) -> Any:
    """Parse a DAG with other settings; its tasks and its failure callbacks."""
    return parsed(dag_id, GRAPH, **settings)


def test_days_that_airflow_missed_are_caught_up_from_the_first_refresh_date_on() -> None:
    settings = {"schedule": "0 6 * * *", "first_refresh_date": "2026-03-08"}
    first, after, missed = parsed("store_sales_etl", DAYS, **settings)
    assert [first, after] == ["2026-03-08", missed]


def test_days_before_the_schedules_first_run_whole_by_hand_and_by_backfill() -> None:
    """Airflow leaves those out that start later, and calls the run a success."""
    settings = {"schedule": "0 6 * * *", "first_refresh_date": "2026-03-08"}
    assert parsed("store_sales_etl", STARTS, **settings) == [["1998-01-02"], ["2003-01-01", "2003-01-02"]]


def test_a_cluster_of_the_pipelines_is_resumed_before_and_paused_after_the_work() -> None:
    tasks = graph("store_sales_etl", pause_cluster="true")["tasks"]
    assert tasks["resume_cluster"] == [["wait_for_extract"], True, False]
    for first in ("create_schema", "create_lake"):
        assert tasks[first][0] == ["resume_cluster"]
    assert tasks["pause_cluster"] == [["record_statements", "resume_cluster"], False, True]


def test_the_reviews_resume_the_shared_cluster_too_and_publish_without_it() -> None:
    tasks = graph("reviews_etl", pause_cluster="true")["tasks"]
    assert tasks["resume_cluster"] == [[], True, False]
    assert tasks["create_schema"][0] == ["resume_cluster"]
    assert tasks["pause_cluster"] == [["resume_cluster", "top_reviews"], False, True]
    assert tasks["publish"][0] == ["top_reviews"]
    assert tasks["require_publish"] == [["publish"], False, True]


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_a_run_at_its_time_limit_pauses_before_the_alert_tells_of_it(dag_id: str) -> None:
    assert graph(dag_id, pause_cluster="true")["callbacks"] == ["pause_after_timeout", "RunFailedAlert"]


def test_a_workgroup_and_somebody_elses_cluster_have_no_such_tasks() -> None:
    for dag_id in DAG_IDS:
        workgroup = graph(dag_id, cluster_identifier="", db_user="", workgroup_name="redshift-etl")
        assert workgroup == graph(dag_id, pause_cluster="false")
        assert not {"resume_cluster", "pause_cluster"} & workgroup["tasks"].keys()
        assert workgroup["callbacks"] == ["RunFailedAlert"]


PARSE_WITH_AUDIT = """
import ast, importlib.util, json, sys
for path in sys.argv[1:]:  # what the DAG imports is Python's own I/O: it is done before the watch begins
    imports = [n for n in ast.parse(open(path).read()).body if isinstance(n, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), path, "exec"))
watched = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.scandir", "sqlite3.connect"}
seen = []
def hook(event, args):
    if event in watched or (event == "open" and not str(args[0]).endswith((".py", ".pyc"))):
        seen.append([event, repr(args)])
sys.addaudithook(hook)
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("dag_under_test", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(json.dumps(seen))
"""


def test_parsing_a_dag_opens_no_file_and_no_connection() -> None:
    paths = [str(path) for path in sorted((PROJECT / "dags").glob("*.py"))]
    assert len(paths) == len(DAG_IDS)
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "plugins")}
    done = subprocess.run(
        [sys.executable, "-c", PARSE_WITH_AUDIT, *paths],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Naming a time zone reads the operating system's file about it; nothing else is opened.
    opened = [item for item in json.loads(done.stdout.splitlines()[-1]) if "zoneinfo" not in item[1]]
    assert opened == []


SERIALIZE = """
import json, sys
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization
folder = Path(sys.argv[1])
bag = BundleDagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="dags-folder")
assert bag.dags and not bag.import_errors, bag.import_errors
print(json.dumps({k: DagSerialization.to_dict(v) for k, v in sorted(bag.dags.items())}, sort_keys=True))
"""


def test_parsing_twice_gives_the_same_dag_version() -> None:
    """What differs from parse to parse makes a new DAG version every 30 seconds."""
    outputs = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONPATH": str(PROJECT / "plugins"), "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", SERIALIZE, str(PROJECT / "dags")],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        outputs.append(done.stdout.splitlines()[-1])
    assert outputs[0] == outputs[1]
