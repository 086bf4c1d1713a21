"""The workers of MWAA: Celery, fed by Redis. Killed -9, as by a lost container, in mid-statement."""

import shutil
from collections.abc import Iterator

import pytest
from work import PLACES, Works, set_up, with_sql

from chaos_stack import Chaos, chaos
from laptop.airflow import COMPONENTS
from laptop.processes import Processes
from ports import free_port

pytestmark = pytest.mark.chaos

WORKER = "celery worker"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """An Airflow of its own, whose scheduler hands tasks to a Celery worker."""
    redis = shutil.which("redis-server")
    assert redis, "redis-server is missing: apt-get install redis-server"
    folder, port = tmp_path_factory.mktemp("celery"), free_port()
    settings = with_sql(folder) | {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"redis://127.0.0.1:{port}/1",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
    }
    with Processes(folder / "redis") as processes:
        command = [redis, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
        processes.start("redis", command, {})
        with chaos(folder, settings, [*COMPONENTS, WORKER]) as running:
            set_up(running)
            yield running


def test_a_celery_worker_killed_in_mid_statement(stack: Chaos, works: Works) -> None:
    for work in works.at(*PLACES):
        work.delay(40)
        work.start()
    for work in works.made:
        work.await_running()
        work.await_state("running" if work.place == "worker" else "deferred")
    stack.restart(WORKER)
    for work in works.made:
        work.succeeds(statements=1)
