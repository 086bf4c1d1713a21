"""The plugin's pages as Airflow mounts them, with Airflow's own login in front, and an account behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import jinja2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from data_api import CLUSTER, query
from local_account import use_account
from local_aws.server import Server
from redshift_etl.operators.publish_reports import PublishReportsOperator
from redshift_etl.script import names, statements

BUCKET = "redshift-etl-data"
FIRST_DAY = date(2002, 12, 16)  # a Monday
# Day, store and net sales. Day 17 is Thursday, 2 January 2003; day 9 is in the week before, day 12 is not as
# early in that week as Thursday is.
SALES = [
    (9, 1, "100.00"),
    (12, 1, "999.00"),
    (10, 2, "80.10"),
    (16, 1, "40.05"),
    (17, 1, "30.00"),
    (17, 2, "90.20"),
]
SQL = Path(__file__).parents[3] / "sql"
SETTINGS = {
    "DATABASE": "dev",
    "CLUSTER_IDENTIFIER": CLUSTER,
    "DB_USER": "awsuser",
    "IAM_ROLE_ARN": "arn:aws:iam::123456789012:role/redshift-etl-warehouse",
    "DATA_BUCKET": BUCKET,
    "GLUE_JOB_NAME": "reviews-etl",
    "REVIEWS_LOCATION": f"s3://{BUCKET}/raw/reviews/",
    "SQL_DIR": str(SQL),
    "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts",
    "TIMEZONE": "America/New_York",
}
REPORTS = {
    "daily_city_sales": {"city": "Bethel", "state": "OH"},
    "store_reconciliation": {},
    "weekly_store_performance": {"region": "North America"},
}


class Site(TestClient):
    """A browser in front of the plugin; nobody is logged in."""

    def log_in(self, role: str | None) -> Site:
        """Carry the cookie that Airflow gives to a user of this role."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        user = SimpleAuthManagerUser(username="ann", role=role)
        self.cookies.set(COOKIE_NAME_JWT_TOKEN, get_auth_manager().generate_jwt(user))
        return self

    def data(self, path: str, **parameters: str) -> Any:
        answer = self.get(f"/redshift-etl/api/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def site(endpoint: str) -> Iterator[Site]:
    """Mount the plugin as Airflow's API server does, on an AWS at this address."""
    from airflow import settings
    from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
    from airflow.models import import_all_models
    from airflow.models.base import Base

    from redshift_etl.reports_page.app import s3_client
    from redshift_etl_plugin import RedshiftEtlPlugin

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "known to this test only " * 4)
        use_account(patch, endpoint)
        for name, value in SETTINGS.items():
            patch.setenv(f"AIRFLOW__REDSHIFT_ETL__{name}", value)
        import_all_models()
        Base.metadata.create_all(settings.get_engine())
        server = FastAPI()
        (mounted,) = RedshiftEtlPlugin.fastapi_apps
        server.mount(mounted["url_prefix"], mounted["app"])
        init_auth_manager(server)
        s3_client.cache_clear()
        yield Site(server, raise_server_exceptions=True)
        s3_client.cache_clear()
        purge_cached_app()


class Account:
    """A bucket, and a warehouse with two stores and their sales."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.data_api = boto3.client("redshift-data")

    def query(self, sql: str) -> list[dict[str, Any]]:
        return query(self.data_api, sql)

    def put(self, key: str, body: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())

    def run(self, file: str, day: str = "2003-01-02", **parameters: str) -> None:
        """Run a file of sql/ as its task would."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(SQL), undefined=jinja2.StrictUndefined, autoescape=False
        )
        text = environment.get_template(file).render(
            data_bucket=BUCKET,
            iam_role_arn=SETTINGS["IAM_ROLE_ARN"],
            refresh_date=lambda *_: day,
            dag_run=None,
            params=None,
        )
        split = statements(text)
        used = set().union(*map(names, split))
        given = {"refresh_date": day} | parameters
        answer = self.data_api.batch_execute_statement(
            ClusterIdentifier=CLUSTER,
            Database="dev",
            DbUser="awsuser",
            Sqls=list(split),
            **(
                {"Parameters": [{"name": k, "value": v} for k, v in given.items() if k in used]}
                if used
                else {}
            ),
        )
        while (found := self.data_api.describe_statement(Id=answer["Id"], WaitTimeSeconds=10))[
            "Status"
        ] not in {
            "FINISHED",
            "FAILED",
            "ABORTED",
        }:
            pass
        assert found["Status"] == "FINISHED", found.get("Error")

    def load(self) -> None:
        """Two stores in Ohio and Tennessee, and each one's sales of four days in two weeks."""
        self.run("store_sales/create_schema.sql")
        days = ", ".join(f"({sk}, '{sk}', '{FIRST_DAY + timedelta(days=sk)}')" for sk in range(21))
        self.query(f"insert into tpcds.date_dim (d_date_sk, d_date_id, d_date) values {days}")
        self.query(
            "insert into tpcds.store (s_store_sk, s_store_id, s_store_name, s_city, s_state, s_country,"
            " s_extract_date) values"
            " (1, 'A', 'Plane <b>Street</b>', 'Bethel', 'OH', 'United States', '2003-01-02'),"
            " (2, 'B', 'ought', 'Midway', 'TN', 'United States', '2003-01-02')"
        )
        sales = [
            f"({sk}, 1, 1, 1, 1, {store}, 1, {100 * sk + store}, 'I', {sk}, {paid}, -1.50)"
            for sk, store, paid in SALES
        ]
        self.query(
            "insert into tpcds.store_sales (ss_sold_date_sk, ss_item_sk, ss_customer_sk, ss_hdemo_sk,"
            " ss_addr_sk, ss_store_sk, ss_promo_sk, ss_ticket_number, ss_item_id, ss_quantity, ss_net_paid,"
            " ss_net_profit)"
            f" values {', '.join(sales)}"
        )

    def unload(self, day: str, **changed: dict[str, str]) -> None:
        """Unload a day's reports and publish them."""
        for report, parameters in (REPORTS | changed).items():
            self.run(f"store_sales/unload_{report}.sql", day, **parameters)
        operator = PublishReportsOperator(
            task_id="publish_reports", bucket=BUCKET, reports=list(REPORTS), refresh_date=day
        )
        operator.execute({})  # type: ignore[typeddict-item]  # the context is not used

    def put_reviews(self, rows: list[dict[str, Any]]) -> None:
        """Leave the report of reviews as its UNLOAD does."""
        prefix = "reports/top_reviews/data/"
        lines = [",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]
        self.put(f"{prefix}000", "\n".join(lines))
        self.put(f"{prefix}manifest", json.dumps({"entries": [{"url": f"s3://{BUCKET}/{prefix}000"}]}))


@contextmanager
def account() -> Iterator[Account]:
    """Start a local AWS with a bucket, which boto3 finds."""
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        use_account(patch, server.endpoint_url)
        yield Account()
