"""The DAGs as Airflow sees them: what they are, and what they render."""

import json
import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from laptop.environment import PROJECT
from project_dags import DAG_IDS, load_dags

RUN = SimpleNamespace(
    logical_date=datetime(2003, 1, 2, 12, tzinfo=UTC),
    run_after=datetime(2003, 1, 3, tzinfo=UTC),
    dag_id="store_sales_etl",
    run_id="test",
)


@pytest.fixture(scope="module")
def dag_bag() -> Any:
    return load_dags()


@pytest.fixture(scope="module")
def tasks(dag_bag: Any) -> list[Any]:
    return [task for dag in dag_bag.dags.values() for task in dag.tasks]


def render(task: Any, *, params: dict[str, Any] | None = None, run: Any = RUN) -> Any:
    """Render a copy of the task as a worker does."""
    import copy

    rendered = copy.copy(task)
    rendered.render_template_fields(
        context={"dag_run": run, "params": task.dag.params.dump() | (params or {}), "task": rendered}
    )
    return rendered


def test_exactly_our_dags_are_found_without_an_import_error(dag_bag: Any) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == DAG_IDS


def test_every_sql_file_is_used_and_every_template_is_found(tasks: list[Any]) -> None:
    used = {task.file.removeprefix("sql/") for task in tasks if hasattr(task, "file")}
    for task in tasks:
        if not hasattr(task, "sql"):
            continue
        # Airflow has read the file by now; one that it does not find it only logs, and leaves the name.
        assert not task.sql.endswith(".sql"), f"{task.task_id} names {task.file}, which is not there"
    assert used == {str(path.relative_to(PROJECT / "sql")) for path in (PROJECT / "sql").rglob("*.sql")}


def test_every_template_renders(tasks: list[Any]) -> None:
    for task in tasks:
        rendered = render(task)
        for name in rendered.template_fields:
            text = json.dumps(getattr(rendered, name), default=str)
            assert "{{" not in text, (task.task_id, name)
            assert "{%" not in text, (task.task_id, name)
            assert name == "file" or not text.endswith('.sql"'), (
                f"{task.task_id}.{name} is still a file name: Jinja did not find it"
            )


def test_the_scripts_load_the_refresh_date_of_the_run(dag_bag: Any) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    register = render(dag.get_task("register_partition"))
    assert "sale_date = '2003-01-02'" in register.sql
    stage = render(dag.get_task("stage_store_sales"), params={"refresh_date": "2002-12-31"})
    assert stage.parameters == [{"name": "refresh_date", "value": "2002-12-31"}]
    # A run without a logical date is a run of the day on which it starts.
    no_date = SimpleNamespace(logical_date=None, run_after=RUN.run_after, dag_id=RUN.dag_id, run_id="by-hand")
    assert render(dag.get_task("stage_store_sales"), run=no_date).parameters[0]["value"] == "2003-01-02"


@pytest.mark.parametrize(
    "bad", ["2003-02-30", "20030102", "2003-1-2", "yesterday", "2003-01-02'; drop table x; --"]
)
def test_a_bad_refresh_date_is_refused_by_the_form_and_by_the_templates(dag_bag: Any, bad: str) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    with pytest.raises(Exception, match=re.escape(bad[:10])):
        render(dag.get_task("stage_store_sales"), params={"refresh_date": bad})
    from airflow.sdk import Param
    from airflow.sdk.exceptions import ParamValidationError

    schema = dag.params.get_param("refresh_date").schema
    with pytest.raises(ParamValidationError):
        Param(bad, **schema).resolve()


def test_every_task_tells_on_call_what_it_does_and_what_to_do(tasks: list[Any]) -> None:
    from redshift_etl.notifications.message import IF_IT_FAILS

    for task in tasks:
        what, marker, advice = (task.doc_md or "").partition(IF_IT_FAILS)
        assert marker, task.task_id
        assert len(what.split()) > 5, (task.task_id, what)
        assert len(advice.split()) > 5, (task.task_id, advice)
        assert "--" not in what, (task.task_id, what)


def test_the_asset_graph_leads_from_the_lake_to_every_report(dag_bag: Any) -> None:
    def leads_to(wanted: str, tasks: list[Any]) -> set[str]:
        found, new = set(), {wanted}
        while new:
            found |= new
            new = {
                one.name
                for task in tasks
                if found & {out.name for out in task.outlets}
                for one in task.inlets
            } - found
        return found

    sales = dag_bag.dags["store_sales_etl"].tasks
    for report in ("daily_city_sales", "store_reconciliation", "weekly_store_performance"):
        assert leads_to(report, sales) == {
            report,
            "tpcds.store_sales",
            "tpcds.stg_store_sales",
            "raw/store_sales",
        }
    reviews = dag_bag.dags["reviews_etl"].tasks
    assert leads_to("top_reviews", reviews) == {"top_reviews", "public.reviews", "raw/reviews"}


def test_tasks_lead_to_their_work_and_to_their_report(dag_bag: Any) -> None:
    def links(dag_id: str, task_id: str) -> dict[str, str]:
        task = dag_bag.dags[dag_id].get_task(task_id)
        task.work_id = "jr_1"
        return {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}

    console = "https://us-east-1.console.aws.amazon.com/redshiftv2/home?region=us-east-1"
    warehouse = {"Redshift console": f"{console}#cluster-details?cluster=redshift-etl&tab=query-monitoring"}
    page = "http://127.0.0.1:1/redshift-etl/reports"
    assert links("store_sales_etl", "load_item") == warehouse
    weekly = links("store_sales_etl", "unload_weekly_store_performance")
    assert weekly == warehouse | {"Report": f"{page}#weekly"}
    assert links("store_sales_etl", "publish_reports") == {"Report": f"{page}#main"}
    assert links("reviews_etl", "publish") == {"Report": f"{page}#reviews"}
    glue = "https://console.aws.amazon.com/gluestudio/home?region=us-east-1#/job/reviews-etl/run/jr_1"
    assert links("reviews_etl", "load_reviews") == {"Glue job run": glue}


def test_every_dag_and_task_follows_the_house_rules(dag_bag: Any, tasks: list[Any]) -> None:
    for dag in dag_bag.dags.values():
        assert dag.doc_md
        assert dag.description
        assert dag.tags
        # Store sales: from the first refresh date on, if there is a schedule.
        assert dag.catchup is (dag.dag_id == "store_sales_etl")
        assert dag.dagrun_timeout is not None
    for task in tasks:
        assert task.owner == "data-engineering", task.task_id
        # Looking at the run's tasks once more shows the same.
        assert task.retries == (0 if task.task_id.startswith("require_") else 2), task.task_id
        waits_by_itself = getattr(task, "timeout", None) is not None
        assert task.execution_timeout is not None or waits_by_itself, task.task_id
        assert task.retry_policy is not None, task.task_id
        # Those that cannot be deferred ask AWS once and are done.
        assert getattr(task, "deferrable", True), task.task_id


def test_the_reviews_scripts_get_exactly_the_arguments_that_they_use(dag_bag: Any) -> None:
    from glue.redshift_sql.script import Script

    dag = dag_bag.dags["reviews_etl"]
    scripts = [render(task) for task in dag.tasks if hasattr(task, "file")]
    assert [task.task_id for task in scripts] == ["create_schema", "load_reviews", "top_reviews"]
    for task in scripts:
        Script.read(task.file, (PROJECT / task.file).read_text(), task.parameters)
    assert scripts[1].parameters == {"first_year": "2015"}
    assert scripts[2].parameters["top_n"] == "10"


@pytest.mark.parametrize(
    ("param", "bad"),
    [
        ("first_year", 1994),
        ("first_year", "2015"),
        ("first_year", "2015 or 1=1"),
        ("top_n", 0),
        ("top_n", 1001),
        ("top_n", 1.5),
    ],
)
def test_a_bad_param_of_the_reviews_is_refused_by_the_form(dag_bag: Any, param: str, bad: Any) -> None:
    from airflow.sdk import Param
    from airflow.sdk.exceptions import ParamValidationError

    schema = dag_bag.dags["reviews_etl"].params.get_param(param).schema
    with pytest.raises(ParamValidationError):
        Param(bad, **schema).resolve()


def test_r2_r4_r7_every_step_waits_for_the_ones_before_and_dimensions_load_side_by_side(dag_bag: Any) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    upstream = {
        task.task_id: {one.task_id for one in dag.get_task(task.task_id).get_flat_relatives(upstream=True)}
        for task in dag.tasks
    }
    dimensions = {f"load_{name}" for name in ("customer", "customer_address", "item", "store", "reference")}
    for name in dimensions:
        assert not upstream[name] & dimensions, f"{name} waits for another dimension"
    checks = {task.task_id for task in dag.tasks if "/checks/" in getattr(task, "file", "")}
    fact_checks = {"staging_equals_fact", "keys_resolve", "item_history_sound"}
    assert len(checks) == 10
    for name in dimensions | checks | {"stage_store_sales"}:
        assert "wait_for_extract" in upstream[name], f"{name} reads an extract that nobody has looked at"
    for name in checks - fact_checks:
        assert {"stage_store_sales", "load_reference"} <= upstream[name], f"{name} reads staging and calendar"
    assert dimensions | (checks - fact_checks) | {"repair_store_sales"} <= upstream["load_store_sales"]
    for name in fact_checks:
        assert "load_store_sales" in upstream[name], f"{name} reads the fact"
    reports = {name for name in upstream if name.startswith("unload_")}
    for name in reports:
        assert checks <= upstream[name], f"{name} does not wait for every check"
    work = {task.task_id for task in dag.tasks if not task.is_teardown}
    assert upstream["publish_reports"] == work - {"publish_reports"}
    assert {dag.get_task(name).trigger_rule for name in work} == {"all_success"}


def test_every_extract_that_the_sql_reads_is_waited_for_and_has_agreed_columns(dag_bag: Any) -> None:
    sensor = dag_bag.dags["store_sales_etl"].get_task("wait_for_extract")
    read = {
        extract
        for file in (PROJECT / "sql" / "store_sales").glob("*.sql")
        for extract in re.findall(r"'s3://{{ data_bucket }}/raw/(\w+)/", file.read_text())
    }
    assert len(read) == 8
    assert {key.split("/")[1] for key in sensor.bucket_key} == read
    for key in sensor.bucket_key:
        assert any(fnmatch(key, pattern) for pattern in sensor.columns), key


def test_every_failure_has_one_alert(dag_bag: Any, tasks: list[Any]) -> None:
    from redshift_etl.notifications import sns

    topic = "arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts"
    for task in tasks:
        if task.task_id.startswith("require_"):
            assert not task.on_failure_callback, "it fails after another task, which has told"
            continue
        (alert,) = task.on_failure_callback
        assert isinstance(alert, sns.TaskFailedAlert)
        assert alert.target_arn == topic
        assert not task.on_retry_callback, "a retry is no failure"
    for dag in dag_bag.dags.values():
        # Silent for a run whose task has failed: its own tests show that.
        (failed,) = dag.on_failure_callback
        assert isinstance(failed, sns.RunFailedAlert)
        assert isinstance(dag.on_success_callback, sns.RunSucceededAlert)
        assert {failed.target_arn, dag.on_success_callback.target_arn} == {topic}


def test_the_scheduled_pipeline_has_a_deadline(dag_bag: Any) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    (deadline,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert deadline.reference.serialize_reference() == {
        "reference_type": "DayAfterReference",
        "at": "09:00",
        "timezone": "America/New_York",
    }
    # The triggerer finds callbacks in plugins/ only.
    assert deadline.callback.path == "redshift_etl.notifications.sns.DeadlineMissedAlert"


def test_the_pipeline_without_a_schedule_may_take_an_hour(dag_bag: Any) -> None:
    dag = dag_bag.dags["reviews_etl"]
    (deadline,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert deadline.reference.serialize_reference()["reference_type"] == "QueuedReference"
    assert deadline.interval == timedelta(hours=1)
    assert deadline.interval < dag.dagrun_timeout
    assert deadline.callback.path == "redshift_etl.notifications.sns.DeadlineMissedAlert"


def test_days_run_at_once_and_each_task_works_for_one_of_them(dag_bag: Any) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    assert dag.max_active_runs == 3
    for task in dag.tasks:
        # In Airflow 3.3 a deferred task counts too.
        alone = None if task.task_id == "wait_for_extract" else 1
        assert task.max_active_tis_per_dag == alone, task.task_id


def test_the_audit_runs_after_a_failure_and_leaves_the_run_red(dag_bag: Any) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    record = dag.get_task("record_statements")
    assert record.is_teardown
    assert not record.on_failure_fail_dagrun
    # Airflow takes a run's state from the tasks at the end that are no teardown.
    ends = {task_id for task_id in record.upstream_task_ids if not dag.get_task(task_id).is_teardown}
    assert ends == {"publish_reports"}


def test_a_run_is_judged_by_its_last_task_though_airflow_counts_a_skipped_one_as_a_success(
    dag_bag: Any,
) -> None:
    dag = dag_bag.dags["store_sales_etl"]
    require = dag.get_task("require_reports")
    assert require.is_teardown
    assert require.on_failure_fail_dagrun
    assert list(require.required) == ["publish_reports"] == sorted(require.upstream_task_ids)


def test_what_is_loaded_and_unloaded_is_an_asset(tasks: list[Any]) -> None:
    produced = {outlet.name: outlet.uri for task in tasks for outlet in task.outlets}
    assert produced == {
        "raw/store_sales": "s3://redshift-etl-data/raw/store_sales",
        "tpcds.stg_store_sales": "redshift://redshift-etl:5439/dev/tpcds/stg_store_sales",
        "tpcds.store_sales": "redshift://redshift-etl:5439/dev/tpcds/store_sales",
        "daily_city_sales": "s3://redshift-etl-data/reports/daily_city_sales",
        "store_reconciliation": "s3://redshift-etl-data/reports/store_reconciliation",
        "weekly_store_performance": "s3://redshift-etl-data/reports/weekly_store_performance",
        "raw/reviews": "s3://redshift-etl-data/raw/reviews",
        "public.reviews": "redshift://redshift-etl:5439/dev/public/reviews",
        "top_reviews": "s3://redshift-etl-data/reports/top_reviews",
    }


def test_the_env_file_holds_exactly_the_settings_that_the_code_reads() -> None:
    from laptop.environment import LOCAL_ENV, read_env_file
    from redshift_etl.settings import Settings

    prefix = "AIRFLOW__REDSHIFT_ETL__"
    in_file = {
        name.removeprefix(prefix).lower() for name in read_env_file(LOCAL_ENV) if name.startswith(prefix)
    }
    import dataclasses

    known = {field.name for field in dataclasses.fields(Settings)}
    assert in_file <= known
    # The other half of each either-or: a serverless workgroup, a secret.
    assert known - in_file == {"workgroup_name", "secret_arn"}, known ^ in_file


def test_the_pages_of_the_project_tell_each_other_apart() -> None:
    """sql/ is not parsed for DAGs and the plugin package is not executed twice."""
    assert "sql/" in Path(PROJECT / "dags" / ".airflowignore").read_text()
    assert "redshift_etl" in Path(PROJECT / "plugins" / ".airflowignore").read_text()
