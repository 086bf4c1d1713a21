"""### Deployment check: one statement on the warehouse, with the role and the login of the pipelines.

`make deploy` puts this DAG beside the pipelines and triggers it. It can be run by hand at any time.

**When it fails** the log says what Airflow was refused: the role, the secret, or the warehouse itself.

**Owner** data engineering.
"""

from datetime import timedelta

import pendulum
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.sdk import DAG, chain

from redshift_etl.cluster import CLUSTER_DAGS
from redshift_etl.operators.redshift_cluster import PauseClusterOperator, ResumeClusterOperator
from redshift_etl.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="deployment_check",
    description="Selects 1 on the warehouse: the deployment works",
    doc_md=__doc__,
    schedule=None,
    start_date=pendulum.datetime(1998, 1, 2, tz=SETTINGS.timezone),
    catchup=False,
    max_active_runs=1,
    # The deployment triggers it at once.
    is_paused_upon_creation=False,
    default_args={"owner": "data-engineering", "retries": 0, "execution_timeout": timedelta(minutes=15)},
    tags=["redshift"],
) as dag:
    select_one = RedshiftDataOperator(
        task_id="select_one",
        sql="select 1",
        database=SETTINGS.database,
        cluster_identifier=SETTINGS.cluster_identifier,
        workgroup_name=SETTINGS.workgroup_name,
        db_user=SETTINGS.db_user,
        secret_arn=SETTINGS.secret_arn,
        poll_interval=1,
    )
    if SETTINGS.pauses_cluster and SETTINGS.cluster_identifier:
        resume_cluster = ResumeClusterOperator(
            task_id="resume_cluster", cluster_identifier=SETTINGS.cluster_identifier
        )
        pause_cluster = PauseClusterOperator(
            task_id="pause_cluster",
            dag_ids=CLUSTER_DAGS,
            cluster_identifier=SETTINGS.cluster_identifier,
        ).as_teardown(setups=resume_cluster)
        chain(resume_cluster, select_one, pause_cluster)
