"""The cluster of a local account, in whatever status a test needs."""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

NAME = "redshift-etl"


def become(status: str) -> None:
    """Put the cluster into a status that a moment's control plane never shows."""
    get_backend("redshift")["123456789012"]["us-east-1"].clusters[NAME].status = status


def status_of(redshift: Any) -> str:
    return str(redshift.describe_clusters(ClusterIdentifier=NAME)["Clusters"][0]["ClusterStatus"])
