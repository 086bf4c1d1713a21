"""The project's DAGs in this process, with the settings of a laptop."""

from pathlib import Path
from typing import Any

import pytest

from laptop.environment import PROJECT, airflow_environment

DAG_IDS = {"store_sales_etl", "reviews_etl"}


def use_laptop(environment: pytest.MonkeyPatch, home: Path) -> None:
    """Set what Airflow reads from the environment on first import; at its AWS nothing listens."""
    laptop = airflow_environment(home=home, web_port=1, aws_endpoint="http://127.0.0.1:9")
    for name, value in laptop.items():
        environment.setenv(name, value)


def load_dags() -> Any:
    """Load dags/ as the DAG processor does in production: on sys.path, where DagBag alone does not put it."""
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(
        dag_folder=str(PROJECT / "dags"), bundle_path=PROJECT / "dags", bundle_name="dags-folder"
    )
