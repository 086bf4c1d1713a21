"""Glue where moto leaves something out: connections, jobs that change, partitions chosen and told briefly."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.glue import models, responses, urls, utils
from moto.glue.exceptions import EntityNotFoundException


class FakeConnection(models.FakeConnection):
    """moto's connection with the members it leaves out."""

    def as_dict(self, hide_password: bool = False) -> dict[str, Any]:  # moto's signature
        """The connection as GetConnection answers."""
        given = {
            key: self.connection_input[key]
            for key in ("ConnectionType", "MatchCriteria")
            if key in self.connection_input
        }
        return super().as_dict(hide_password) | given


class FakeJob(models.FakeJob):
    """moto's job; a Python shell has no execution class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drop_class()

    def _drop_class(self) -> None:
        command: Any = self.command
        if command["Name"] == "pythonshell":
            self.execution_class = None  # type: ignore[assignment]  # AWS leaves it out

    def update(self, changes: dict[str, Any]) -> None:
        """Takes over the members of a JobUpdate.

        Args:
            changes: The members by AWS's names.
        """
        for key, value in changes.items():
            setattr(self, camelcase_to_underscores(key), value)
        self.last_modified_on = utcnow()
        self._drop_class()


class GlueResponse(responses.GlueResponse):
    """moto's Glue with three more operations, and GetPartitions with ExcludeColumnSchema."""

    def get_partitions(self) -> ActionResult:
        """Answers which partitions there are, without their columns if so asked."""
        answer = super().get_partitions()
        if not self._get_param("ExcludeColumnSchema"):
            return answer
        found: Any = answer.result
        return ActionResult(
            {"Partitions": [_without_columns(partition) for partition in found["Partitions"]]}
        )

    def delete_connection(self) -> EmptyResult:
        """Forgets a connection."""
        name = self._get_param("ConnectionName")
        if self.glue_backend.connections.pop(name, None) is None:
            raise EntityNotFoundException(f"Connection {name} not found.")
        return EmptyResult()

    def update_connection(self) -> EmptyResult:
        """Replaces a connection's definition."""
        name = self._get_param("Name")
        connections = self.glue_backend.connections
        if name not in connections:
            raise EntityNotFoundException(f"Connection {name} not found.")
        catalog = connections[name].catalog_id
        connections[name] = FakeConnection(self.glue_backend, catalog, self._get_param("ConnectionInput"), {})
        return EmptyResult()

    def update_job(self) -> ActionResult:
        """Replaces a job's definition."""
        name = self._get_param("JobName")
        job: FakeJob = self.glue_backend.get_job(name)  # type: ignore[assignment]  # ours, since install()
        job.update(self._get_param("JobUpdate"))
        return ActionResult({"JobName": name})


def _without_columns(partition: dict[str, Any]) -> dict[str, Any]:
    storage = partition.get("StorageDescriptor", {})
    return partition | {"StorageDescriptor": {key: storage[key] for key in storage if key != "Columns"}}


_cast = utils._cast  # noqa: SLF001 - moto has no place for another type


def _cast_plainly(type_: str, value: object) -> object:
    """A partition's value, or a literal, as its column's type; moto knows varchar but not varchar(40)."""
    return _cast(type_.partition("(")[0], value)


def install() -> None:
    """Put it in place; a second time changes nothing."""
    models.FakeConnection = FakeConnection  # type: ignore[misc]
    models.FakeJob = FakeJob  # type: ignore[misc]
    utils._cast = _cast_plainly  # type: ignore[assignment]  # noqa: SLF001 - as above; only compared
    urls.url_paths["{0}/$"] = GlueResponse.dispatch
