"""Amazon MWAA's environments, as far as Terraform and a deployment see them: they are available at once.

moto has no such service. Nothing runs behind an environment: `make run` is the Airflow on this machine.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local_aws.supplements.request import Body, InvalidError, NotFoundError, Request, UnknownOperationError

_LOGS = ("DagProcessingLogs", "SchedulerLogs", "TaskLogs", "WebserverLogs", "WorkerLogs")
_GROUPS = dict(zip(_LOGS, ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"), strict=True))
_SERVICE_ROLE = "aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA"
_DEFAULTS = {
    "EnvironmentClass": "mw1.small",
    "MinWorkers": 1,
    "MaxWorkers": 10,
    "Schedulers": 2,
    "MinWebservers": 2,
    "MaxWebservers": 2,
    "WebserverAccessMode": "PRIVATE_ONLY",
    "EndpointManagement": "SERVICE",
    "WeeklyMaintenanceWindowStart": "SUN:03:30",
    "AirflowVersion": "3.3.1",
}


class MwaaBackend(BaseBackend):
    """The environments of a region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.environments: dict[str, Body] = {}

    def environment(self, name: str) -> Body:
        """An environment by name.

        Raises:
            NotFoundError: There is none.
        """
        try:
            return self.environments[name]
        except KeyError:
            raise NotFoundError(f"Environment {name} does not exist.") from None

    def create(self, name: str, request: Body) -> Body:
        """Creates an environment.

        Args:
            name: Its name.
            request: CreateEnvironment's members.

        Raises:
            InvalidError: The name is taken, or it does not have two subnets.
        """
        if name in self.environments:
            raise InvalidError(f"Environment {name} exists already.")
        subnets = request["NetworkConfiguration"]["SubnetIds"]
        if len(subnets) != 2:
            raise InvalidError(
                f"Environment {name} has {len(subnets)} subnets: give two, in two availability zones."
            )
        arn = f"arn:aws:airflow:{self.region_name}:{self.account_id}:environment/{name}"
        created = round(time.time(), 3)
        self.environments[name] = {
            **_DEFAULTS,
            **request,
            "Name": name,
            "Arn": arn,
            "Status": "AVAILABLE",
            "CreatedAt": created,
            "WebserverUrl": f"{name}.c1.{self.region_name}.airflow.amazonaws.com",
            "ServiceRoleArn": f"arn:aws:iam::{self.account_id}:role/{_SERVICE_ROLE}",
            "LastUpdate": {"CreatedAt": created, "Status": "SUCCESS"},
            "LoggingConfiguration": self._logging(name, request.get("LoggingConfiguration", {})),
            "Tags": request.get("Tags", {}),
        }
        return {"Arn": arn}

    def update(self, name: str, request: Body) -> Body:
        """Changes an environment; what the request leaves out stays."""
        environment = self.environment(name)
        logging = {**environment["LoggingConfiguration"], **request.pop("LoggingConfiguration", {})}
        network = {**environment["NetworkConfiguration"], **request.pop("NetworkConfiguration", {})}
        environment.update(request)
        environment["LoggingConfiguration"] = self._logging(name, logging)
        environment["NetworkConfiguration"] = network
        environment["LastUpdate"] = {"CreatedAt": round(time.time(), 3), "Status": "SUCCESS"}
        return {"Arn": environment["Arn"]}

    def _logging(self, name: str, given: Body) -> Body:
        groups = f"arn:aws:logs:{self.region_name}:{self.account_id}:log-group:airflow-{name}"
        return {
            log: {
                "Enabled": log == "TaskLogs",
                "LogLevel": "INFO",
                **given.get(log, {}),
                "CloudWatchLogGroupArn": f"{groups}-{_GROUPS[log]}",
            }
            for log in _LOGS
        }

    def tags(self, arn: str) -> dict[str, str]:
        """An environment's tags, to read or to change."""
        tags: dict[str, str] = self.environment(arn.rpartition("/")[2])["Tags"]
        return tags


mwaa_backends: BackendDict[MwaaBackend] = BackendDict(MwaaBackend, "mwaa")


def answer(request: Request) -> Body:
    """Answers one request.

    Raises:
        AwsError: As AWS would.
    """
    backend = mwaa_backends[DEFAULT_ACCOUNT_ID][request.region]
    match request.method, request.path:
        case "GET", ("environments",):
            return {"Environments": sorted(backend.environments)}
        case "PUT", ("environments", name):
            return backend.create(name, request.body)
        case "GET", ("environments", name):
            return {"Environment": backend.environment(name)}
        case "PATCH", ("environments", name):
            return backend.update(name, request.body)
        case "DELETE", ("environments", name):
            backend.environment(name)
            del backend.environments[name]
            return {}
        case _, ("tags", arn):
            return _tags(request, backend.tags(arn))
    raise UnknownOperationError(f"MWAA on this machine has no {request.method} /{'/'.join(request.path)}.")


def _tags(request: Request, tags: dict[str, Any]) -> Body:
    match request.method:
        case "GET":
            return {"Tags": tags}
        case "POST":
            tags.update(request.body["Tags"])
        case "DELETE":
            for key in request.query.get("tagKeys", ()):
                tags.pop(key, None)
    return {}
