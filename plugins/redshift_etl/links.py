"""Addresses of pages, and a task's buttons that lead to its work in the AWS console and to its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow.providers.amazon.aws.links.base_aws import BaseAwsLink
from airflow.providers.amazon.aws.links.glue import GlueJobRunDetailsLink
from airflow.sdk import BaseOperatorLink, conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

# A report's tab on the Reports page; store_reconciliation has none.
_SECTIONS: Final = {
    "daily_city_sales": "city",
    "weekly_store_performance": "weekly",
    "top_reviews": "reviews",
}
REPORTS: Final = "reports/"


class RedshiftConsoleLink(BaseOperatorLink):
    """To the warehouse's own page in the AWS console; the task's log has the numbers of its queries."""

    name = "Redshift console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's
        """Return the page of the operator's cluster or workgroup."""
        script: Any = operator
        page = (
            f"cluster-details?cluster={quote(script.cluster_identifier)}&tab=query-monitoring"
            if script.cluster_identifier
            else f"serverless-workgroup?workgroup={quote(script.workgroup_name)}"
        )
        region = script.hook.conn_region_name
        domain = BaseAwsLink.get_aws_domain(script.hook.conn_partition)
        return f"https://{region}.console.{domain}/redshiftv2/home?region={region}#{page}"


class GlueRunLink(BaseOperatorLink):
    """To the task's run of the Glue job in the AWS console."""

    name = "Glue job run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's
        """Return the page of the run; empty for a task that started none."""
        script: Any = operator
        return glue_run_url(script.hook, script.job_name, script.work_id) if script.work_id else ""


class ReportLink(BaseOperatorLink):
    """To the report on the Reports page."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's
        """Return the page, at the report that the operator makes; empty for one that it does not show."""
        made = [report for asset in operator.outlets if (report := report_of(asset))]
        section = _SECTIONS.get(made[0]) if made else "main"
        return airflow_url(f"redshift-etl/reports#{section}") if section else ""


def airflow_url(path: str) -> str:
    """Address a page of Airflow's web UI.

    Args:
        path: The page, without a slash at its beginning.

    Returns:
        The address.
    """
    address = str(conf.get("api", "base_url", fallback="http://localhost:8080/"))
    return f"{address.rstrip('/')}/{path}"


def glue_run_url(hook: Any, job_name: str, run_id: str) -> str:
    """Address a run of a Glue job in the AWS console.

    Args:
        hook: Airflow's hook for Glue, which knows region and partition.
        job_name: The job.
        run_id: The run.

    Returns:
        The address.
    """
    return GlueJobRunDetailsLink.format_str.format(
        aws_domain=BaseAwsLink.get_aws_domain(hook.conn_partition),
        region_name=hook.conn_region_name,
        job_name=quote(job_name, safe=""),
        job_run_id=run_id,
    )


def report_of(asset: Any) -> str | None:
    """Name the report whose folder an asset is; None for another asset."""
    _, found, report = str(getattr(asset, "uri", "")).partition(f"/{REPORTS}")
    return report if found else None
