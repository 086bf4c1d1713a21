"""Airflow's settings for the tests of the DAGs, set before anything imports Airflow."""

from typing import Any

import pytest

from project_dags import use_laptop


@pytest.fixture(scope="module", autouse=True)
def airflow_environment_set(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        use_laptop(patch, tmp_path_factory.mktemp("airflow"))
        yield
