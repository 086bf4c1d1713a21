"""QuickSight's data sources, data sets and ingestions, whole and with times as numbers.

moto has them in part: its times are text, which SDKs in Go refuse, and a data set cannot be read. Users,
groups and dashboards stay moto's.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from local_aws.supplements.request import AwsError, Body, ExistsError, NotFoundError, Request

# By the path's word: the singular in a path's ARN, the id's member, the object's member.
_KINDS = {
    "data-sources": ("datasource", "DataSourceId", "DataSource"),
    "data-sets": ("dataset", "DataSetId", "DataSet"),
}

# QuickSight's defaults for files in S3. Terraform's provider never sends any.
_UPLOAD_SETTINGS = {
    "Format": "CSV",
    "StartFromRow": 1,
    "ContainsHeader": True,
    "TextQualifier": "DOUBLE_QUOTE",
    "Delimiter": ",",
}


class TakenError(ExistsError):
    """QuickSight's name for an id that is taken."""

    code = "ResourceExistsException"


class ManifestError(AwsError):
    """QuickSight's answer to a data source whose manifest it cannot read, or that is not there."""

    code = "AccessDeniedException"
    status = 401


class QuickSightBackend(BaseBackend):
    """Data sources and data sets of a region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.objects: dict[str, dict[str, Body]] = {kind: {} for kind in _KINDS}
        self.permissions: dict[str, dict[str, list[str]]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.ingestions: dict[tuple[str, str], Body] = {}

    def create(self, kind: str, request: Body) -> Body:
        """Creates a data source or a data set."""
        singular, id_member, _ = _KINDS[kind]
        identifier = request[id_member]
        if identifier in self.objects[kind]:
            raise TakenError(f"{singular} {identifier} exists already.")
        if kind == "data-sources":
            self._read_manifest(request)
        arn = f"arn:aws:quicksight:{self.region_name}:{self.account_id}:{singular}/{identifier}"
        now = round(time.time(), 3)
        self.objects[kind][identifier] = {"Arn": arn, "CreatedTime": now, "LastUpdatedTime": now}
        self._store(kind, identifier, request)
        self.permissions[arn] = {
            item["Principal"]: item["Actions"] for item in request.get("Permissions", [])
        }
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        return {"Arn": arn, id_member: identifier, "CreationStatus": "CREATION_SUCCESSFUL"}

    def _read_manifest(self, request: Body) -> None:
        files = request.get("DataSourceParameters", {}).get("S3Parameters")
        if not files:
            return
        bucket, key = (files["ManifestFileLocation"][member] for member in ("Bucket", "Key"))
        try:
            found = s3_backends[self.account_id]["aws"].get_object(bucket, key)
        except MissingBucket:
            found = None
        if found is None:
            raise ManifestError("Insufficient permission to access the manifest file")

    def _store(self, kind: str, identifier: str, request: Body) -> None:
        secret = {"Credentials", "Permissions", "Tags"}
        stored = self.objects[kind][identifier]
        stored.update({key: value for key, value in request.items() if key not in secret})
        stored[_KINDS[kind][1]] = identifier
        if kind == "data-sources":
            stored["Status"] = "CREATION_SUCCESSFUL"
            return
        stored.setdefault("LogicalTableMap", {})
        stored.setdefault(
            "DataSetUsageConfiguration",
            {"DisableUseAsDirectQuerySource": False, "DisableUseAsImportedSource": False},
        )
        for entry in stored["PhysicalTableMap"].values():
            if "S3Source" in entry:
                entry["S3Source"].setdefault("UploadSettings", _UPLOAD_SETTINGS)
        tables = [table for entry in stored["PhysicalTableMap"].values() for table in entry.values()]
        columns = [
            column for table in tables for column in table.get("InputColumns") or table.get("Columns", [])
        ]
        stored["OutputColumns"] = [{"Name": column["Name"], "Type": column["Type"]} for column in columns]

    def update(self, kind: str, identifier: str, request: Body) -> Body:
        """Changes a data source or a data set."""
        stored = self.found(kind, identifier)
        self._store(kind, identifier, request)
        stored["LastUpdatedTime"] = round(time.time(), 3)
        return {"Arn": stored["Arn"], _KINDS[kind][1]: identifier, "UpdateStatus": "UPDATE_SUCCESSFUL"}

    def found(self, kind: str, identifier: str) -> Body:
        """A data source or a data set by its id.

        Raises:
            NotFoundError: There is none.
        """
        try:
            return self.objects[kind][identifier]
        except KeyError:
            raise NotFoundError(f"{_KINDS[kind][0]} {identifier} does not exist.") from None

    def delete(self, kind: str, identifier: str) -> Body:
        """Deletes a data source or a data set."""
        arn = self.objects[kind].pop(identifier)["Arn"]
        self.tags.pop(arn, None)
        return {"Arn": arn, _KINDS[kind][1]: identifier}

    def change_permissions(self, kind: str, identifier: str, request: Body) -> None:
        """Grants and revokes."""
        granted = self.permissions[self.found(kind, identifier)["Arn"]]
        for item in request.get("RevokePermissions", []):
            granted.pop(item["Principal"], None)
        for item in request.get("GrantPermissions", []):
            granted[item["Principal"]] = item["Actions"]

    def permissions_of(self, kind: str, identifier: str) -> Body:
        """Who may do what."""
        arn = self.found(kind, identifier)["Arn"]
        permissions = [{"Principal": who, "Actions": what} for who, what in self.permissions[arn].items()]
        return {f"{_KINDS[kind][2]}Arn": arn, _KINDS[kind][1]: identifier, "Permissions": permissions}

    def ingest(self, data_set: str, ingestion: str) -> Body:
        """Starts an ingestion, which is at its end at once: there is no SPICE here."""
        if (data_set, ingestion) in self.ingestions:
            raise TakenError(f"Data set {data_set} has an ingestion {ingestion} already.")
        arn = f"{self.found('data-sets', data_set)['Arn']}/ingestion/{ingestion}"
        now = round(time.time(), 3)
        self.ingestions[data_set, ingestion] = {
            "Arn": arn,
            "IngestionId": ingestion,
            "IngestionStatus": "COMPLETED",
            "CreatedTime": now,
            "IngestionTimeInSeconds": 0,
            "RequestSource": "MANUAL",
            "RequestType": "FULL_REFRESH",
        }
        return {"Arn": arn, "IngestionId": ingestion, "IngestionStatus": "INITIALIZED"}

    def ingestion(self, data_set: str, ingestion: str) -> Body:
        """An ingestion by its id.

        Raises:
            NotFoundError: There is none.
        """
        try:
            return self.ingestions[data_set, ingestion]
        except KeyError:
            raise NotFoundError(f"Data set {data_set} has no ingestion {ingestion}.") from None

    def cancel(self, data_set: str, ingestion: str) -> Body:
        """Cancels an ingestion that goes on."""
        found = self.ingestion(data_set, ingestion)
        if found["IngestionStatus"] == "RUNNING":
            found["IngestionStatus"] = "CANCELLED"
        return {"Arn": found["Arn"], "IngestionId": ingestion}


quicksight_backends: BackendDict[QuickSightBackend] = BackendDict(QuickSightBackend, "quicksight")


def answer(request: Request) -> Body | None:
    """Answers one request; None: it is moto's.

    Raises:
        AwsError: As AWS would.
    """
    backend = quicksight_backends[DEFAULT_ACCOUNT_ID][request.region]
    match request.path:
        case ("resources", arn, "tags") if arn in backend.tags:
            return _envelope(_tags(request, backend.tags[arn]))
        case ("accounts", _, ("data-sources" | "data-sets") as kind, *rest):
            body = _object(request, backend, kind, rest)
            return None if body is None else _envelope(body)
    return None


def _object(request: Request, backend: QuickSightBackend, kind: str, rest: list[str]) -> Body | None:
    if not rest:
        return backend.create(kind, request.body) if request.method == "POST" else None
    identifier, *part = rest
    if part:
        return _part(request, backend, kind, identifier, part)
    if request.method == "PUT":
        return backend.update(kind, identifier, request.body)
    found = backend.found(kind, identifier)
    if request.method == "DELETE":
        return backend.delete(kind, identifier)
    return {_KINDS[kind][2]: found}


def _part(
    request: Request, backend: QuickSightBackend, kind: str, identifier: str, part: list[str]
) -> Body | None:
    """Who may use a data source or a data set, and a data set's refreshes."""
    match request.method, part:
        case _, ["permissions"]:
            if request.method != "GET":
                backend.change_permissions(kind, identifier, request.body)
            return backend.permissions_of(kind, identifier)
        case _, ["refresh-properties"]:
            raise NotFoundError(f"Data set {identifier} has no refresh properties.")
        case "GET", ["ingestions"]:
            return {
                "Ingestions": [
                    one for (data_set, _), one in backend.ingestions.items() if data_set == identifier
                ]
            }
        case "PUT", ["ingestions", ingestion]:
            return backend.ingest(identifier, ingestion)
        case "GET", ["ingestions", ingestion]:
            return {"Ingestion": backend.ingestion(identifier, ingestion)}
        case "DELETE", ["ingestions", ingestion]:
            return backend.cancel(identifier, ingestion)
    return None


def _tags(request: Request, tags: dict[str, Any]) -> Body:
    match request.method:
        case "POST":
            tags.update({tag["Key"]: tag["Value"] for tag in request.body["Tags"]})
        case "DELETE":
            for key in request.query.get("keys", ()):
                tags.pop(key, None)
        case _:
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    return {}


def _envelope(body: Body) -> Body:
    return {**body, "RequestId": "local", "Status": 200}
