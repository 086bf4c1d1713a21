"""`docker compose up` on a clean checkout: healthy, both pipelines green, and still so after kills."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from compare_store_sales import assert_reports_equal, assert_tables_equal
from compose_stack import AIRFLOW_UID, Compose, docker_engine, images
from expected_reviews import load_reviews, top_reviews
from expected_store_sales import load_days
from laptop.airflow import AirflowApi
from laptop.environment import LOCAL_ENV, read_env_file
from laptop.processes import Processes
from laptop.reports import read_rows

pytestmark = pytest.mark.compose

BUCKET = "redshift-etl-data"
DAYS = [date(2002, 12, 31) + timedelta(days=n) for n in range(3)]
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")
GIB = 1024**3


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """The stack, from `up` alone to both pipelines' end; taken down with everything that it made."""
    with docker_engine() as engine:
        compose = Compose(engine | images(engine))
        try:
            compose("up", "--detach", "--build")
            yield compose
        finally:
            compose("--profile", "celery", "down", "--volumes", "--remove-orphans")
            compose.docker("rmi", "--force", compose.project)
        assert compose.left_behind() == []


@pytest.fixture(scope="module")
def api(compose: Compose) -> Iterator[AirflowApi]:
    api = AirflowApi(f"http://127.0.0.1:{compose.web_port}")
    api.wait_until_ready("store_sales_etl", Processes(Path()))
    yield api
    api.close()


@pytest.fixture(scope="module", autouse=True)
def aws(compose: Compose) -> Iterator[None]:
    """boto3 of these tests sees the stack's account."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in read_env_file(LOCAL_ENV).items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{compose.aws_port}")
        yield


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the source systems delivered, as files."""
    folder = tmp_path_factory.mktemp("delivered")
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="raw/"):
        for entry in page["Contents"]:
            file = folder / entry["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(BUCKET, entry["Key"], str(file))
    return folder / "raw"


def wait_for_exit(compose: Compose, service: str, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (state := compose.container(service)["State"])["Status"] != "exited":
        assert time.monotonic() < deadline, compose("logs", "--tail=60", service)
        time.sleep(1)
    return dict(state)


def wait_for_run(api: AirflowApi, run_id: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while (state := api.run_state("store_sales_etl", run_id)) not in {"success", "failed"}:
        assert time.monotonic() < deadline, api.task_instances("store_sales_etl", run_id)
        time.sleep(1)
    return state


def test_up_alone_leads_to_a_healthy_stack_and_both_pipelines_green(
    compose: Compose, api: AirflowApi
) -> None:
    assert wait_for_exit(compose, "pipelines", seconds=900)["ExitCode"] == 0, compose("logs", "pipelines")
    for day in DAYS:
        assert api.run_state("store_sales_etl", f"laptop__{day}") == "success"
    assert api.run_state("reviews_etl", f"laptop__{DAYS[-1]}") == "success"
    compose.wait_healthy("postgres", "local-aws", *AIRFLOW)
    printed = compose("logs", "pipelines")
    assert "Weekly store sales performance, North America" in printed
    assert "most helpful of" in printed


def test_the_tables_and_reports_are_what_the_delivered_files_imply(raw: Path) -> None:
    expected = load_days(raw, DAYS)
    assert_tables_equal(boto3.client("redshift-data"), expected)
    assert_reports_equal(boto3.client("s3"), BUCKET, expected, DAYS[-1])
    report = read_rows(boto3.client("s3"), BUCKET, "reports/top_reviews/data/")
    implied = top_reviews(load_reviews(raw / "reviews", 2015), 10)
    assert [row["review_id"] for row in report] == [row["review_id"] for row in implied]


def test_containers_are_reached_from_this_machine_alone_and_are_not_root(compose: Compose) -> None:
    containers = compose.containers()
    published = {
        service: {binding["HostIp"] for bindings in ports.values() for binding in bindings or []}
        for service, one in containers.items()
        if (ports := one["HostConfig"]["PortBindings"] or {})
    }
    assert published == {"api-server": {"127.0.0.1"}, "local-aws": {"127.0.0.1"}}
    for service in ("local-aws", *AIRFLOW):
        assert compose("exec", "-T", service, "id", "-u").strip() == AIRFLOW_UID


def test_root_may_be_the_user_and_has_the_home_that_aws_profiles_are_mounted_in(compose: Compose) -> None:
    image = f"{compose.project}-root"
    compose("build", "scheduler", AIRFLOW_UID="0", IMAGE=image)
    try:
        assert compose.docker("run", "--rm", image, "sh", "-c", "id -u; echo ~") == "0\n/usr/local/airflow\n"
    finally:
        compose.docker("rmi", "--force", image)


def test_the_image_is_laid_out_as_mwaa_and_has_no_build_tools(compose: Compose) -> None:
    def printed(script: str) -> list[str]:
        return compose("exec", "-T", "scheduler", "sh", "-c", script).split()

    assert printed("pwd") == ["/usr/local/airflow"]
    assert {"dags", "plugins", "sql"} <= set(printed("ls"))
    assert printed("ls dags/sql") == ["etl_audit", "reviews", "store_sales"]
    # One at a time: dash's command -v looks at its first argument alone. Python is there to be found.
    look = "for tool in python cc gcc g++ make uv; do command -v $tool; done; ls /opt/airflow/bin | grep ^pip"
    assert printed(f"{look}; true") == ["/opt/airflow/bin/python"]


def test_the_memory_limits_fit_a_laptop_of_8_gib(compose: Compose) -> None:
    limits = {service: one["HostConfig"]["Memory"] for service, one in compose.containers().items()}
    assert all(limits.values()), limits
    # airflow-init has ended when the others start, and they when pipelines runs beside them.
    assert sum(limits.values()) - limits["airflow-init"] <= 7 * GIB


def test_a_run_ends_green_though_scheduler_and_triggerer_are_killed_in_it(
    compose: Compose, api: AirflowApi, raw: Path
) -> None:
    api.trigger("store_sales_etl", "killed", None, {"refresh_date": str(DAYS[0])})
    deadline = time.monotonic() + 120
    while not [t for t in api.task_instances("store_sales_etl", "killed") if t["state"] == "success"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    compose.kill("scheduler")
    compose.kill("triggerer")
    assert wait_for_run(api, "killed", seconds=600) == "success"
    compose.wait_healthy("scheduler", "triggerer")
    assert_tables_equal(boto3.client("redshift-data"), load_days(raw, DAYS))


def test_celery_workers_run_the_same_day_again_as_on_mwaa(
    compose: Compose, api: AirflowApi, raw: Path
) -> None:
    services = ("redis", "celery-worker", "scheduler")
    compose("--profile", "celery", "up", "--detach", *services, AIRFLOW_EXECUTOR="CeleryExecutor")
    compose.wait_healthy(*services)
    api.trigger("store_sales_etl", "celery", None, {"refresh_date": str(DAYS[1])})
    assert wait_for_run(api, "celery", seconds=600) == "success"
    worker = compose.container("celery-worker")["Config"]["Hostname"]
    assert {task["hostname"] for task in api.task_instances("store_sales_etl", "celery")} == {worker}
    assert_tables_equal(boto3.client("redshift-data"), load_days(raw, DAYS))


def test_what_is_delivered_and_loaded_lasts_when_aws_is_killed(compose: Compose, raw: Path) -> None:
    compose.kill("local-aws")
    compose.wait_healthy("local-aws")
    expected = load_days(raw, DAYS)
    assert_tables_equal(boto3.client("redshift-data"), expected)
    assert_reports_equal(boto3.client("s3"), BUCKET, expected, DAYS[-1])
