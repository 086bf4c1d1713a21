"""Wait for a cluster's status to change without holding a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook
from airflow.triggers.base import BaseTrigger, TriggerEvent


class ClusterStatusTrigger(BaseTrigger):
    """Fires when the cluster's status is another one, or when time is up: the worker decides what it means.

    A status that cannot be read just now is asked for again.

    Args:
        cluster_identifier: The cluster.
        status: The status that the worker saw; empty: any status is another one.
        until: When to fire at the latest, in seconds since the epoch.
        poll_interval: Seconds between two looks.
        aws_conn_id: Airflow's AWS connection.
        region_name: The cluster's region; None: the connection's.
    """

    def __init__(
        self,
        *,
        cluster_identifier: str,
        status: str,
        until: float,
        poll_interval: int,
        aws_conn_id: str | None,
        region_name: str | None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow
        self.arguments = {
            "cluster_identifier": cluster_identifier,
            "status": status,
            "until": until,
            "poll_interval": poll_interval,
            "aws_conn_id": aws_conn_id,
            "region_name": region_name,
        }
        self.cluster_identifier = cluster_identifier
        self.status = status
        self.until = until
        self.poll_interval = poll_interval
        self.hook = RedshiftHook(aws_conn_id=aws_conn_id, region_name=region_name)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return this class's path, importable with only `plugins/` on the path, and its arguments."""
        return f"{__name__}.{type(self).__name__}", self.arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the status has changed or time is up."""
        while time.time() < self.until:
            await asyncio.sleep(self.poll_interval)
            try:
                async with await self.hook.get_async_conn() as client:  # type: ignore[no-untyped-call]  # provider
                    answer = await client.describe_clusters(ClusterIdentifier=self.cluster_identifier)
            except Exception as error:  # noqa: BLE001 - the worker meets it again if it stays
                self.log.warning("Cannot read the status of cluster %s: %s", self.cluster_identifier, error)
                continue
            if answer["Clusters"][0]["ClusterStatus"] != self.status:
                break
        yield TriggerEvent({"until": self.until})  # type: ignore[no-untyped-call]  # Airflow
