"""The promise of docs/reliability.md, counted over a storm: what Airflow asked for, and what took effect."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

DAGS = ("store_sales_etl.", "reviews_etl.")
# What local_aws says of a job run that was going on when it was killed.
LOST_IN_A_REBOOT = "The run was lost when local_aws ended"
_FILE = re.compile(r"set query_group to '(.+)'")
_TRANSACTIONAL = ("begin", "commit", "rollback")
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    """A statement of the Data API or a run of the Glue job.

    Attributes:
        name: DAG, run and task on whose behalf it ran.
        created: When AWS took it.
        ended: When it was at an end.
        took_effect: Whether the last statement of its script is committed; one that commits statement by
            statement and stops halfway has not.
    """

    name: str
    created: datetime
    ended: datetime
    took_effect: bool


def twice(pieces: Sequence[Piece], clears: Mapping[str, Sequence[datetime]]) -> dict[str, int]:
    """Count what took effect more often than Airflow asked for it, by name.

    A task is asked for once when its run begins and once more at each clear, and each request may take effect
    once. The time of a clear is taken before it is sent, so that what AWS took before the k-th clear belongs
    to the first k requests, and at most k of it may have taken effect. It counts by when AWS took it: what
    commits in spite of a clear that came later is the earlier request's. A worker that is not yet told of
    a clear may submit after it; then the next bound counts it, and has room for it, as the earlier request
    has had no other. A clear that was lost, or that Airflow takes for a retry because the worker is dead,
    leaves the bound too wide, never too narrow. A statement that was lost in a reboot is not in the count,
    see below.

    Args:
        pieces: All work.
        clears: When each task may have been asked for again, by the name of its work.
    """
    found = {}
    for name, of_task in _by_name(pieces).items():
        created = [piece.created for piece in of_task if piece.took_effect]
        limits = [*sorted(clears.get(name, ())), _NEVER]
        excess = max(
            sum(one < limit for one in created) - allowed for allowed, limit in enumerate(limits, start=1)
        )
        if excess > 0:
            found[name] = excess
    return found


def at_once(pieces: Sequence[Piece]) -> list[tuple[Piece, Piece]]:
    """Find work of one task that was taken before the work before it was at an end.

    An operator sees an end before it submits again, and AWS notes the end before it shows it.
    """
    return [
        (earlier, later)
        for of_task in _by_name(pieces).values()
        for earlier, later in pairwise(sorted(of_task, key=lambda piece: piece.created))
        if later.created < earlier.ended
    ]


def _by_name(pieces: Sequence[Piece]) -> dict[str, list[Piece]]:
    found = defaultdict(list)
    for piece in pieces:
        found[piece.name].append(piece)
    return found


def of_data_api(statements: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    """Read the pipelines' statements of the Data API; an `unless` query changes nothing, and may be repeated.

    local_aws writes the id of a statement with its COMMIT, so that one that was committed and whose end was
    lost in a reboot is FINISHED afterwards, and the retry takes its outcome.

    Args:
        statements: What /_local/statements tells.
    """
    for one in statements:
        name = str(one["name"])
        if one["source"] == "data-api" and name.startswith(DAGS) and not name.endswith(".unless"):
            committed = bool(one["statements"][-1]["committed"])
            yield Piece(name, _time(one["created"]), _time(one["ended"]), committed)


def of_glue(runs: Sequence[Mapping[str, Any]], statements: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Read the job runs of the pipelines: one took effect if it succeeded, or if its connection committed.

    A connection tells the file that it runs (`set query_group`), not the job run. It is the run's that went
    on with this file when it began; where two of two DAG runs did (the first one's was left running), it
    counts for neither. The last statement of a script is what the connections of successful runs ended with.
    A run that was lost in a reboot does not count: that it may have committed is the exception in
    docs/reliability.md.

    Args:
        runs: The job runs, as Glue describes them.
        statements: What /_local/statements tells.
    """
    connections: dict[str, list[Sequence[Mapping[str, Any]]]] = defaultdict(list)
    for file, connection in _connections(statements):
        began = _time(connection[0]["created"])
        owners = [
            run
            for run in runs
            if run["Arguments"]["--file"] == file
            and run["StartedOn"] <= began <= (run.get("CompletedOn") or _NEVER)
        ]
        if len(owners) == 1:
            connections[owners[0]["Id"]].append(connection)
    last = {
        (run["Arguments"]["--file"], _script(connection)[-1]["sqls"][0])
        for run in runs
        if run["JobRunState"] == "SUCCEEDED"
        for connection in connections[run["Id"]]
    }

    def took_effect(run: Mapping[str, Any]) -> bool:
        if run["JobRunState"] == "SUCCEEDED":
            return True
        if str(run.get("ErrorMessage")).startswith(LOST_IN_A_REBOOT):
            return False
        return any(
            one["committed"] and (run["Arguments"]["--file"], one["sqls"][0]) in last
            for connection in connections[run["Id"]]
            for one in connection
        )

    return [
        Piece(
            ".".join(run["Arguments"]["--airflow_task_uuid"].split("/")[:3]),
            run["StartedOn"],
            run.get("CompletedOn") or _NEVER,
            took_effect(run),
        )
        for run in runs
    ]


def _connections(
    statements: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Split what came by wire into connections with a script; a restarted local_aws numbers them anew."""
    found: list[list[Mapping[str, Any]]] = []
    latest: dict[str, list[Mapping[str, Any]]] = {}
    wire = [one for one in statements if one["source"] == "wire"]
    for one in sorted(wire, key=lambda one: _time(one["created"])):
        backend, number = str(one["id"]).removeprefix("wire-").split("-")
        if number == "1":
            latest[backend] = []
            found.append(latest[backend])
        latest[backend].append(one)
    for connection in found:
        files = [match[1] for one in connection if (match := _FILE.fullmatch(one["sqls"][0]))]
        if files:
            yield files[0], connection


def _script(connection: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in connection if one["sqls"][0].lower() not in _TRANSACTIONAL]


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else _NEVER
