"""One task that adds one row: if its SQL took effect twice, or not at all, the table shows it.

`<operator>_worker` waits on the worker and `<operator>_triggerer` in the triggerer from the first moment;
`..._limited` have an execution_timeout, `..._run_limited` a dagrun_timeout, and `..._impatient` wait three
seconds for an answer of AWS, not a minute.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, ExceptionRetryPolicy

from redshift_etl.failure import RETRY_POLICY
from redshift_etl.operators.glue_script import GlueScriptOperator
from redshift_etl.operators.redshift_script import RedshiftScriptOperator
from redshift_etl.settings import load_settings

SETTINGS = load_settings()
SECOND = timedelta(seconds=1)
# The project's rules; only their pauses are shorter.
HURRIED = ExceptionRetryPolicy(rules=[replace(rule, retry_delay=SECOND) for rule in RETRY_POLICY.rules])

for operator in ("redshift", "glue"):
    for place in ("worker", "triggerer"):
        for kind, of_task, of_run in (
            ("", {}, {}),
            ("_limited", {"execution_timeout": 20 * SECOND}, {}),
            ("_run_limited", {}, {"dagrun_timeout": 60 * SECOND}),
            ("_impatient", {"botocore_config": {"read_timeout": 3}}, {}),
        ):
            arguments: dict[str, Any] = {
                "task_id": "work",
                "deferrable": place == "triggerer",
                "poll_interval": 1,
                "retries": 8,
                "retry_delay": SECOND,
                "retry_policy": HURRIED,
                **of_task,
            }
            with DAG(
                f"{operator}_{place}{kind}",
                schedule=None,
                catchup=False,
                template_searchpath=SETTINGS.sql_dir,
                **of_run,
            ) as dag:
                if operator == "redshift":
                    task: Any = RedshiftScriptOperator(
                        sql="add_row.sql", transaction=False, **SETTINGS.target, **arguments
                    )
                else:
                    task = GlueScriptOperator(
                        job_name=SETTINGS.glue_job_name, file="sql/{{ run_id }}.sql", **arguments
                    )
                task.quick_seconds = 0.0
            globals()[dag.dag_id] = dag
