"""Have a provisioned cluster running while the pipelines need it, and paused when none does."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from redshift_etl.cluster import BROKEN, GONE, OFF, USABLE, runs_needing
from redshift_etl.triggers.redshift_cluster import ClusterStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class ClusterStatusError(AirflowFailException):
    """The cluster is in a status from which only a person can bring it back."""


class ClusterTimeoutError(AirflowException):
    """The cluster has not reached the status within the time limit."""


class ClusterOperator(AwsBaseOperator[RedshiftHook]):
    """Looks at a cluster's status, does what the status asks for, and waits in the triggerer for the next.

    Args:
        cluster_identifier: The cluster.
        time_limit: How long the cluster may take.
        poll_interval: Seconds between two looks of the triggerer.
        kwargs: The AWS connection's arguments and BaseOperator's.
    """

    aws_hook_class = RedshiftHook
    template_fields: Sequence[str] = aws_template_fields("cluster_identifier")
    ui_color = "#e4e0f4"
    deferrable = True

    def __init__(
        self,
        *,
        cluster_identifier: str,
        time_limit: timedelta = timedelta(hours=1),
        poll_interval: int = 15,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_identifier = cluster_identifier
        self.time_limit = time_limit
        self.poll_interval = poll_interval

    @abstractmethod
    def proceed(self, status: str, context: Context) -> bool:
        """Do what the status asks for; True when there is nothing more to do or to wait for."""

    def execute(self, context: Context) -> str:
        """See the cluster through.

        Returns:
            The cluster's last status.

        Raises:
            ClusterStatusError: The cluster does not exist, or only a person can help it.
            ClusterTimeoutError: It took longer than the time limit.
        """
        return self._look(context, time.time() + self.time_limit.total_seconds())

    def look_again(self, context: Context, event: dict[str, Any]) -> str:
        """Take up the task after the trigger has fired."""
        return self._look(context, event["until"])

    def _look(self, context: Context, until: float) -> str:
        status = seen = self._status()
        self.log.info("Cluster %s is %s.", self.cluster_identifier, status)
        try:
            done = self.proceed(status, context)
        except self._redshift.exceptions.InvalidClusterStateFault as error:
            # The status changed between look and call, or Redshift says available before it accepts a call.
            self.log.info("Redshift refused for now: %s", error)
            done, seen = False, ""
        if not done:
            if time.time() >= until:
                raise ClusterTimeoutError(
                    f"Cluster {self.cluster_identifier} is still {status} after {self.time_limit}: "
                    "look at its events in the Redshift console, then clear this task."
                )
            self.defer(
                trigger=ClusterStatusTrigger(
                    cluster_identifier=self.cluster_identifier,
                    status=seen,
                    until=until,
                    poll_interval=self.poll_interval,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.region_name,
                ),
                method_name=self.look_again.__name__,
            )
        return status

    def _status(self) -> str:
        try:
            answer = self._redshift.describe_clusters(ClusterIdentifier=self.cluster_identifier)
        except self._redshift.exceptions.ClusterNotFoundFault as error:
            raise ClusterStatusError(
                f"There is no cluster {self.cluster_identifier}: "
                "create it, or name another in [redshift_etl] cluster_identifier."
            ) from error
        return str(answer["Clusters"][0]["ClusterStatus"])

    @property
    def _redshift(self) -> Any:  # the stubs of boto3's redshift are not installed
        return self.hook.conn


class ResumeClusterOperator(ClusterOperator):
    """Makes the cluster available, whatever it is doing; meant as a setup task."""

    def proceed(self, status: str, context: Context) -> bool:  # noqa: ARG002 - the pausing one needs it
        """Resume a paused cluster; wait for one that resumes, pauses, restarts or changes."""
        if status in USABLE:
            return True
        if status in GONE | BROKEN:
            raise ClusterStatusError(
                f"Cluster {self.cluster_identifier} is {status}: bring it back in the Redshift console, "
                "from a snapshot if need be, then clear this task."
            )
        if status == "paused":
            self._redshift.resume_cluster(ClusterIdentifier=self.cluster_identifier)
        return False


class PauseClusterOperator(ClusterOperator):
    """Pauses the cluster unless another run needs it now (`runs_needing`); meant as a teardown task.

    Args:
        dag_ids: The DAGs that share the cluster, each with tasks `resume_cluster` and `pause_cluster`.
        kwargs: ClusterOperator's arguments.
    """

    def __init__(self, *, dag_ids: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_ids = list(dag_ids)

    def proceed(self, status: str, context: Context) -> bool:
        """Pause an available cluster; wait for one that restarts or changes."""
        if status in OFF:
            return True
        if status in BROKEN - {"storage-full"}:
            raise ClusterStatusError(
                f"Cluster {self.cluster_identifier} is {status} and cannot be paused: "
                "end its cost by hand in the Redshift console."
            )
        if needing := runs_needing(context["ti"], self.dag_ids):
            self.log.info("Not paused, because other runs need it: %s", needing)
            return True
        if status in USABLE | {"storage-full"}:
            self._redshift.pause_cluster(ClusterIdentifier=self.cluster_identifier)
            self.log.info("Cluster %s is told to pause.", self.cluster_identifier)
            return True
        return False
