"""### Store sales: one refresh date from the source's extracts to the reports.

**Produces** `tpcds.store_sales` (one row per ticket line) with its dimensions, and three reports under
`reports/` in the data bucket, each as CSV and as Parquet: `daily_city_sales` (one row per day for all stores
of a city), `store_reconciliation` (one row per store: delivered beside loaded) and `weekly_store_performance`
(one row per store of a region, this week beside the week before). `reports/<report>/latest.json` names the
files of the latest day.

**From** the extracts of the refresh date, `raw/<table>/…=YYYY-MM-DD/` in the data bucket. An extract counts
as complete when its first `.parquet` file is there: one file each. What comes later is not noticed.

**When** every morning for the day before, on the schedule and in the time zone of `[redshift_etl]`. Days that
had no run since `first_refresh_date`, whatever kept Airflow from it, are caught up, three at a time.
By hand: the refresh date is the parameter, else the local date of the logical date, else today.

**When it fails** fix the cause and clear the failed task: every task can run again, for any date and in
any order. `wait_for_extract` names the files that the source has not delivered, or delivered empty or with
other columns than agreed. The tasks of `extract_gate` judge the delivered lines before the fact is touched,
those of `quality_gate` the loaded fact before the reports: each names what it found, and keeps a sample in
`quality/<check>/refresh_date=…/sample.json` in the data bucket.

**Owner** data engineering.
"""

from datetime import timedelta
from functools import partial

import pendulum
from airflow.sdk import DAG, Param, TaskGroup, chain

from redshift_etl import assets
from redshift_etl.cluster import CLUSTER_DAGS, pause_after_timeout
from redshift_etl.daily import daily
from redshift_etl.extracts import EXTRACTS
from redshift_etl.failure import RETRY_POLICY
from redshift_etl.notifications.due import reports_due
from redshift_etl.notifications.sns import RunFailedAlert, RunSucceededAlert, TaskFailedAlert
from redshift_etl.operators.publish_reports import PublishReportsOperator
from redshift_etl.operators.record_statements import RecordStatementsOperator
from redshift_etl.operators.redshift_cluster import PauseClusterOperator, ResumeClusterOperator
from redshift_etl.operators.redshift_no_rows import RedshiftNoRowsOperator
from redshift_etl.operators.redshift_script import RedshiftScriptOperator
from redshift_etl.operators.require_success import RequireSuccessOperator
from redshift_etl.refresh_date import refresh_date
from redshift_etl.sensors.extract import ExtractSensor
from redshift_etl.settings import load_settings

SETTINGS = load_settings()
REFRESH_DATE = "{{ refresh_date(dag_run, params) }}"
ALERTS = {"topic_arn": SETTINGS.sns_topic_arn}
CLUSTER = {"cluster_identifier": SETTINGS.cluster_identifier}
PAUSE_AFTER_TIMEOUT = (
    [partial(pause_after_timeout, dag_ids=CLUSTER_DAGS, **CLUSTER)] if SETTINGS.pauses_cluster else []
)
# What the asset graph shows: lake, staging, fact, reports.
LAKE = assets.files(SETTINGS, "raw/store_sales")
STAGING = assets.table(SETTINGS, "tpcds.stg_store_sales")
FACT = assets.table(SETTINGS, "tpcds.store_sales")
DIMENSION_EXTRACTS = ("customer", "customer_address", "item", "store")
# Of no day: what is there is all that is known.
REFERENCE_EXTRACTS = ("date_dim", "household_demographics", "promotion")
# Of the lines as delivered, each check with the parameters that it takes beside the refresh date.
EXTRACT_CHECKS: dict[str, dict[str, str]] = {
    "extract_not_empty": {},
    "extract_dates": {},
    "extract_lines_once": {},
    "extract_columns_filled": {},
    "quantities_positive": {},
    "prices_within_bounds": {},
    "row_count_within_band": {"row_count_factor": "{{ params.row_count_factor }}"},
}
# Of the fact as loaded.
FACT_CHECKS = ("staging_equals_fact", "keys_resolve", "item_history_sound")
REPORTS: dict[str, dict[str, str]] = {
    "daily_city_sales": {"city": "{{ params.city }}", "state": "{{ params.state }}"},
    "store_reconciliation": {},
    "weekly_store_performance": {"region": "{{ params.region }}"},
}


def check(name: str, **parameters: str) -> RedshiftNoRowsOperator:
    """Make the task of one check, which keeps a sample of what it finds."""
    return RedshiftNoRowsOperator(
        task_id=name,
        sql=f"store_sales/checks/{name}.sql",
        parameters={"refresh_date": REFRESH_DATE} | parameters,
        sample_url=f"s3://{SETTINGS.data_bucket}/quality/{name}/refresh_date={REFRESH_DATE}/sample.json",
    )


with DAG(
    dag_id="store_sales_etl",
    description="Daily TPC-DS store sales: extracts in S3 to reports in S3, through Redshift",
    doc_md=__doc__,
    schedule=daily(SETTINGS),
    start_date=pendulum.datetime(1998, 1, 2, tz=SETTINGS.timezone),
    catchup=True,
    # Several days at once, like cars on a line: max_active_tis_per_dag lets a task work for one day at a
    # time. The three tasks that write store_sales_unresolved lock it.
    max_active_runs=3,
    dagrun_timeout=timedelta(hours=4),
    on_failure_callback=[*PAUSE_AFTER_TIMEOUT, RunFailedAlert(**ALERTS)],
    on_success_callback=RunSucceededAlert(**ALERTS),
    deadline=reports_due(SETTINGS),
    default_args=SETTINGS.target
    | {
        "owner": "data-engineering",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=1),
        "max_active_tis_per_dag": 1,
        "on_failure_callback": TaskFailedAlert(**ALERTS),
        "parameters": {"refresh_date": REFRESH_DATE},
    },
    params={
        "refresh_date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Refresh date",
            description="The day of sales to load, YYYY-MM-DD. Empty: the date of the run.",
        ),
        "region": Param(
            "North America",
            type="string",
            minLength=1,
            maxLength=40,
            title="Region",
            description="The region of the weekly report, as in tpcds.country_region.",
        ),
        "city": Param(
            "Bethel",
            type="string",
            minLength=1,
            maxLength=60,
            title="City",
            description="The city of the daily report, as in tpcds.store.",
        ),
        "state": Param(
            "OH",
            type="string",
            minLength=2,
            maxLength=2,
            title="State",
            description="The state of that city.",
        ),
        "row_count_factor": Param(
            # TPC-DS days have 0.06 to 3.6 times the lines of the same weekday before: its seasons are steep.
            20,
            type="number",
            exclusiveMinimum=1,
            title="Row count factor",
            description="How many times more, or fewer, lines than on the same weekday before are believed.",
        ),
    },
    user_defined_macros={
        "refresh_date": partial(refresh_date, timezone=SETTINGS.timezone),
        "data_bucket": SETTINGS.data_bucket,
        "iam_role_arn": SETTINGS.iam_role_arn,
    },
    template_searchpath=SETTINGS.sql_dir,
    tags=["redshift", "store-sales", "tpc-ds"],
) as dag:
    create_schema = RedshiftScriptOperator(
        task_id="create_schema", sql="store_sales/create_schema.sql", parameters={}
    )
    create_lake = RedshiftScriptOperator(
        task_id="create_lake",
        sql="store_sales/create_lake.sql",
        parameters={},
        transaction=False,
        unless="select 1 from svv_external_tables"
        " where schemaname = 'tpcds_lake' and tablename = 'store_sales'",
    )
    wait_for_extract = ExtractSensor(
        task_id="wait_for_extract",
        bucket_name=SETTINGS.data_bucket,
        bucket_key=[
            f"raw/store_sales/sale_date={REFRESH_DATE}/*.parquet",
            *(f"raw/{name}/extract_date={REFRESH_DATE}/*.parquet" for name in DIMENSION_EXTRACTS),
            *(f"raw/{name}/*.parquet" for name in REFERENCE_EXTRACTS),
        ],
        columns={f"raw/{name}/*": columns for name, columns in EXTRACTS.items()},
        poke_interval=60,
        timeout=timedelta(hours=3).total_seconds(),
        # The sensor's own limit names the missing files; this one is for a sensor that hangs.
        execution_timeout=timedelta(hours=3, minutes=10),
        max_active_tis_per_dag=None,
        doc_md="Waits until the source systems have delivered the refresh date's extracts, and refuses files "
        "of 0 bytes, and such as are no Parquet files or have other columns than agreed.\n\n"
        "**If it fails:** ask the source system for the files that the error names, then clear this task.",
    )
    register_partition = RedshiftScriptOperator(
        task_id="register_partition",
        sql="store_sales/register_partition.sql",
        parameters={},
        transaction=False,
        outlets=[LAKE],
    )
    stage_store_sales = RedshiftScriptOperator(
        task_id="stage_store_sales",
        sql="store_sales/stage_store_sales.sql",
        inlets=[LAKE],
        outlets=[STAGING],
    )
    with TaskGroup(
        "dimensions", prefix_group_id=False, tooltip="Members that the day's extracts bring, in parallel"
    ) as dimensions:
        for name in DIMENSION_EXTRACTS:
            RedshiftScriptOperator(task_id=f"load_{name}", sql=f"store_sales/load_{name}.sql")
        load_reference = RedshiftScriptOperator(
            task_id="load_reference", sql="store_sales/load_reference.sql", parameters={}
        )
    repair_store_sales = RedshiftScriptOperator(
        task_id="repair_store_sales", sql="store_sales/repair_store_sales.sql", parameters={}
    )
    with TaskGroup(
        "extract_gate", prefix_group_id=False, tooltip="Refuses an extract before the fact is touched"
    ) as extract_gate:
        for name, parameters in EXTRACT_CHECKS.items():
            check(name, **parameters)
    load_store_sales = RedshiftScriptOperator(
        task_id="load_store_sales",
        sql="store_sales/load_store_sales.sql",
        inlets=[STAGING],
        outlets=[FACT],
    )
    with TaskGroup(
        "quality_gate", prefix_group_id=False, tooltip="Stops the reports when the day is not right"
    ) as quality_gate:
        for name in FACT_CHECKS:
            check(name)
    with TaskGroup(
        "reports", prefix_group_id=False, tooltip="UNLOADs each report as CSV and Parquet"
    ) as reports:
        for name, parameters in REPORTS.items():
            RedshiftScriptOperator(
                task_id=f"unload_{name}",
                sql=f"store_sales/unload_{name}.sql",
                parameters={"refresh_date": REFRESH_DATE} | parameters,
                inlets=[FACT],
                outlets=[assets.files(SETTINGS, f"reports/{name}", name)],
            )
    publish_reports = PublishReportsOperator(
        task_id="publish_reports",
        bucket=SETTINGS.data_bucket,
        reports=list(REPORTS),
        refresh_date=REFRESH_DATE,
        doc_md="Points `reports/<report>/latest.json` to the day's files, once all of them are there.\n\n"
        "**If it fails:** clear the unload task of the report that the error names. Readers are still led to "
        "what they had, unless this day itself was published before: its files are replaced in place.",
    )

    chain(
        [create_schema, create_lake, wait_for_extract],
        register_partition,
        stage_store_sales,
        dimensions,
    )
    # The gate needs the calendar, and no other dimension.
    chain(load_reference, extract_gate, load_store_sales)
    chain(dimensions, repair_store_sales, load_store_sales, quality_gate, reports, publish_reports)

    record_statements = RecordStatementsOperator(
        task_id="record_statements",
        bucket_name=SETTINGS.data_bucket,
        doc_md="Copies what the run's statements did into `etl_audit.statement_runs`.\n\n"
        "**If it fails:** only the record of the run is missing. Clear this task within 24 hours.",
    ).as_teardown()
    require_reports = RequireSuccessOperator(
        task_id="require_reports",
        required=[publish_reports.task_id],
        doc_md="Keeps a run red in which the reports were not published, whoever ended it.\n\n"
        "**If it fails:** look at the task that failed before it.",
    ).as_teardown(on_failure_fail_dagrun=True)
    chain(publish_reports, [record_statements, require_reports])

    if SETTINGS.pauses_cluster:
        # Not before there is something to load: a cluster that waits for extracts costs money.
        resume_cluster = ResumeClusterOperator(
            task_id="resume_cluster",
            doc_md="Wakes the cluster and waits until it takes statements.\n\n"
            "**If it fails:** the error names the cluster's state; mend it there and clear the task.",
            **CLUSTER,
        )
        pause_cluster = PauseClusterOperator(
            task_id="pause_cluster",
            dag_ids=CLUSTER_DAGS,
            doc_md="Puts the cluster to sleep, unless another run needs it.\n\n"
            "**If it fails:** the cluster is on and costs money: pause it by hand, or clear this task.",
            **CLUSTER,
        ).as_teardown(setups=resume_cluster)
        chain(wait_for_extract, resume_cluster, [create_schema, create_lake, record_statements])
        chain(record_statements, pause_cluster)
