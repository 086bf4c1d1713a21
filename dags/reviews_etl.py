"""### Reviews: the most helpful product reviews, from the lake to a QuickSight data set.

**Produces** `public.reviews` (one row per review of the years from `first_year` on), the report
`reports/top_reviews/data/` in the data bucket (the `top_n` most helpful reviews per marketplace and product
category, CSV with a header), and the manifest that QuickSight reads, `reports/top_reviews/quicksight.json`.

**From** Parquet files in `product_category=<category>/` folders below `reviews_location`. A copy of the
Amazon Customer Reviews data set is used by naming its location.

**How** the SQL runs in the Glue job `glue_job_name`, which reads its scripts from `sql/reviews/` in its
script bucket. `register_partitions` finds the categories in the lake.

**When** by hand, or by whatever brings new reviews.

A run that is not done within an hour is told as late, and goes on.

**When it fails** the alert and the failed task's log hold the statement and Redshift's message, and name the
job's log. Fix the cause and clear the task: every task can run again. A load that fails leaves the table as
it was.

**Owner** data engineering.
"""

from datetime import timedelta
from functools import partial

import pendulum
from airflow.sdk import DAG, Asset, Param, chain

from redshift_etl import assets
from redshift_etl.cluster import CLUSTER_DAGS, pause_after_timeout
from redshift_etl.failure import RETRY_POLICY
from redshift_etl.notifications.due import run_takes_long
from redshift_etl.notifications.sns import RunFailedAlert, RunSucceededAlert, TaskFailedAlert
from redshift_etl.operators.glue_partitions import GluePartitionsOperator
from redshift_etl.operators.glue_script import GlueScriptOperator
from redshift_etl.operators.quicksight_publish import QuickSightPublishOperator
from redshift_etl.operators.redshift_cluster import PauseClusterOperator, ResumeClusterOperator
from redshift_etl.operators.require_success import RequireSuccessOperator
from redshift_etl.settings import load_settings

SETTINGS = load_settings()
# What the asset graph shows: lake, table, report.
LAKE = Asset(name="raw/reviews", uri=SETTINGS.reviews_location.rstrip("/"))
TABLE = assets.table(SETTINGS, "public.reviews")
REPORT_FILES = assets.files(SETTINGS, "reports/top_reviews", "top_reviews")
JOB_FAILED = (
    "**If it fails:** the error holds the statement, Redshift's message and the name of the job's log. "
    "The tables are as they were before. Mend the cause and clear the task: it can run again at any time."
)
ALERTS = {"topic_arn": SETTINGS.sns_topic_arn}
CLUSTER = {"cluster_identifier": SETTINGS.cluster_identifier}
PAUSE_AFTER_TIMEOUT = (
    [partial(pause_after_timeout, dag_ids=CLUSTER_DAGS, **CLUSTER)] if SETTINGS.pauses_cluster else []
)
REPORT = f"s3://{SETTINGS.data_bucket}/reports/top_reviews/data/"

with DAG(
    dag_id="reviews_etl",
    description="Product reviews: Spectrum to Redshift through Glue, top reviews to QuickSight",
    doc_md=__doc__,
    schedule=None,
    start_date=pendulum.datetime(1998, 1, 2, tz=SETTINGS.timezone),
    catchup=False,
    # Two runs would replace the same rows and the same report.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    on_failure_callback=[*PAUSE_AFTER_TIMEOUT, RunFailedAlert(**ALERTS)],
    on_success_callback=RunSucceededAlert(**ALERTS),
    deadline=run_takes_long(SETTINGS, timedelta(hours=1)),
    default_args={
        "owner": "data-engineering",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=1),
        "on_failure_callback": TaskFailedAlert(**ALERTS),
        "job_name": SETTINGS.glue_job_name,
    },
    params={
        "first_year": Param(
            2015,
            type="integer",
            minimum=1995,
            maximum=2100,
            title="First year",
            description="Reviews of this year and later are loaded anew; earlier ones stay as they are.",
        ),
        "top_n": Param(
            10,
            type="integer",
            minimum=1,
            maximum=1000,
            title="Top N",
            description="How many reviews of each marketplace and product category the report holds.",
        ),
    },
    tags=["redshift", "reviews", "glue", "quicksight"],
) as dag:
    create_schema = GlueScriptOperator(
        task_id="create_schema",
        file="sql/reviews/schema.sql",
        parameters={"iam_role_arn": SETTINGS.iam_role_arn, "reviews_location": SETTINGS.reviews_location},
        doc_md=f"Creates the lake's external schema and table, and the table of the reviews.\n\n{JOB_FAILED}",
    )
    register_partitions = GluePartitionsOperator(
        task_id="register_partitions",
        database_name="amzreviews",
        table_name="reviews",
        location=SETTINGS.reviews_location,
        outlets=[LAKE],
        doc_md="Tells the Glue catalog which product categories the lake holds.\n\n"
        "**If it fails:** look whether `reviews_location` has `product_category=<category>/` folders, "
        "which the role may list, and clear the task. If the location was changed: `drop table "
        "amzreviews.reviews` and clear `create_schema`.",
    )
    load_reviews = GlueScriptOperator(
        task_id="load_reviews",
        file="sql/reviews/etl.sql",
        parameters={"first_year": "{{ params.first_year }}"},
        inlets=[LAKE],
        outlets=[TABLE],
        doc_md=f"Replaces the reviews of `first_year` and later by those in the lake.\n\n{JOB_FAILED}",
    )
    top_reviews = GlueScriptOperator(
        task_id="top_reviews",
        file="sql/reviews/topreviews.sql",
        parameters={
            "top_n": "{{ params.top_n }}",
            "iam_role_arn": SETTINGS.iam_role_arn,
            "report_location": REPORT,
        },
        inlets=[TABLE],
        doc_md=f"UNLOADs the most helpful reviews of each marketplace and category.\n\n{JOB_FAILED}",
    )
    publish = QuickSightPublishOperator(
        task_id="publish",
        unload_manifest=f"{REPORT}manifest",
        manifest=f"s3://{SETTINGS.data_bucket}/reports/top_reviews/quicksight.json",
        data_set_id=SETTINGS.quicksight_data_set_id,
        inlets=[TABLE],
        outlets=[REPORT_FILES],
        post_execute=assets.rows_unloaded(f"{REPORT}manifest"),
        doc_md="Writes the manifest by which QuickSight finds the report, and has it read it anew.\n\n"
        "**If it fails:** the report is in S3 and QuickSight shows the one before; the error says what "
        "QuickSight refused. Clear the task.",
    )

    chain(create_schema, register_partitions, load_reviews, top_reviews, publish)

    if SETTINGS.pauses_cluster:
        resume_cluster = ResumeClusterOperator(
            task_id="resume_cluster",
            doc_md="Wakes the cluster and waits until it takes statements.\n\n"
            "**If it fails:** the error names the cluster's state; mend it there and clear the task.",
            **CLUSTER,
        )
        # QuickSight reads the report from S3: publishing needs no cluster.
        pause_cluster = PauseClusterOperator(
            task_id="pause_cluster",
            dag_ids=CLUSTER_DAGS,
            doc_md="Puts the cluster to sleep, unless another run needs it.\n\n"
            "**If it fails:** the cluster is on and costs money: pause it by hand, or clear this task.",
            **CLUSTER,
        ).as_teardown(setups=resume_cluster)
        chain(resume_cluster, create_schema)
        chain(top_reviews, pause_cluster)
        # With a teardown, Airflow takes a run that somebody marked as failed for a success.
        require_publish = RequireSuccessOperator(
            task_id="require_publish",
            required=[publish.task_id],
            doc_md="Keeps a run red whose report was not published, whoever ended it.\n\n"
            "**If it fails:** look at the task that failed before it.",
        ).as_teardown(on_failure_fail_dagrun=True)
        chain(publish, require_publish)
