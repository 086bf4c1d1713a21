"""The project's own DAGs; only their pauses between two tries are shorter."""

import importlib.util
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from airflow.sdk import ExceptionRetryPolicy

from redshift_etl.failure import RETRY_POLICY

SECOND = timedelta(seconds=1)
HURRIED = ExceptionRetryPolicy(rules=[replace(rule, retry_delay=3 * SECOND) for rule in RETRY_POLICY.rules])

for name in ("store_sales_etl", "reviews_etl"):
    file = Path(__file__).parents[3] / "dags" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for task in module.dag.tasks:
        task.retry_delay = SECOND
        task.retry_exponential_backoff = 0
        if task.retry_policy is RETRY_POLICY:
            task.retry_policy = HURRIED
    globals()[name] = module.dag
