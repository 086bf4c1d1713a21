"""What a provisioned cluster's statuses mean, which runs need it, and how it is paused without a teardown."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

log = logging.getLogger(__name__)

# https://docs.aws.amazon.com/redshift/latest/mgmt/rs-mgmt-cluster-status.html, with `pausing` and `resuming`.
# Whatever is in none of these sets is on its way to one of them: it is waited for.
USABLE: Final = frozenset({"available", "available, prep-for-resize", "available, resize-cleanup"})
GONE: Final = frozenset({"deleting", "final-snapshot"})
OFF: Final = GONE | {"paused", "pausing"}
BROKEN: Final = frozenset(
    {
        "hardware-failure",
        "incompatible-hsm",
        "incompatible-network",
        "incompatible-parameters",
        "incompatible-restore",
        "storage-full",
    }
)

# The DAGs that share the cluster; the last one comes with the deployment to MWAA, and elsewhere has no runs.
CLUSTER_DAGS: Final = ("store_sales_etl", "reviews_etl", "deployment_check")
RESUME: Final = "resume_cluster"
PAUSE: Final = "pause_cluster"

# States of a task that has not begun.
_TO_COME: Final = frozenset({None, "scheduled", "queued", "up_for_reschedule"})


def runs_needing(ti: Any, dag_ids: Sequence[str]) -> dict[str, int]:
    """Count the runs that need the cluster now: those whose resume has begun, and whose pause has not.

    So the last run pauses, also of two that end together; and a run that still waits for its extracts does
    not count, because it will resume the cluster itself.

    Args:
        ti: Any task instance of Airflow's Task SDK, by which the others are found.
        dag_ids: The DAGs that share the cluster.

    Returns:
        Number of runs by DAG, without those that need it for none.
    """
    needing = {}
    for dag_id in dag_ids:
        # Not get_ti_count: in Airflow 3.3.1 its answer is not understood in the DAG processor.
        runs = ti.get_task_states(dag_id=dag_id, task_ids=[RESUME, PAUSE])
        count = sum(
            states.get(PAUSE, "no such task") in _TO_COME and states.get(RESUME) not in _TO_COME
            for states in runs.values()
        )
        if count:
            needing[dag_id] = count
    return needing


def pause_after_timeout(
    context: MutableMapping[str, Any], *, cluster_identifier: str, dag_ids: Sequence[str]
) -> None:
    """Pause the cluster after a run that Airflow ended at its time limit; for a DAG's failure callbacks.

    Airflow skips such a run's teardowns. This runs in the DAG processor, which cannot wait: a cluster that is
    on its way stays as it is. What came of it is left in `context["cluster"]` for the alert, which must stand
    behind it in the DAG's list of callbacks.

    Args:
        context: What Airflow hands a DAG's failure callback.
        cluster_identifier: The cluster.
        dag_ids: The DAGs that share it.
    """
    # Without a task instance no task was unfinished: the teardown has run.
    if context.get("reason") != "timed_out" or "ti" not in context:
        return
    try:
        outcome = _pause(context["ti"], cluster_identifier, dag_ids)
    except Exception as error:  # noqa: BLE001 - whatever it is, the alert behind this callback must go out
        outcome = f"could not be paused ({type(error).__name__}: {error}): pause it in the Redshift console"
    log.warning("Cluster %s %s.", cluster_identifier, outcome)
    context["cluster"] = f"{cluster_identifier} {outcome}"


def _pause(ti: Any, cluster_identifier: str, dag_ids: Sequence[str]) -> str:
    # Imported late: it brings all of boto3 into every parse of a DAG.
    from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook  # noqa: PLC0415

    redshift: Any = RedshiftHook().conn  # the stubs of boto3's redshift are not installed
    answer = redshift.describe_clusters(ClusterIdentifier=cluster_identifier)
    status = answer["Clusters"][0]["ClusterStatus"]
    if status in OFF:
        return f"is {status}"
    if needing := runs_needing(ti, dag_ids):
        return f"is left on for other runs: {needing}"
    if status not in USABLE | {"storage-full"}:
        return f"is {status} and was not paused: pause it in the Redshift console"
    redshift.pause_cluster(ClusterIdentifier=cluster_identifier)
    return "is told to pause"
