"""Amazon MWAA's environments, as far as Terraform and a deployment see them; moto has no such service.

They are available at once, or when the Airflow answers that local_aws was told of (--airflow-url).
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local_aws.supplements.mwaa_rest_api import answers, invoke
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

    def create(self, name: str, request: Body, status: str) -> Body:
        """Creates an environment.

        Args:
            name: Its name.
            request: CreateEnvironment's members.
            status: What it is at first.

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
            "Status": status,
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


def answer(request: Request, airflow_url: str | None = None) -> Body:
    """Answers one request.

    Args:
        request: What is asked.
        airflow_url: The Airflow behind all environments, if one runs.

    Raises:
        AwsError: As AWS would.
    """
    backend = mwaa_backends[DEFAULT_ACCOUNT_ID][request.region]
    match request.method, request.path:
        case _, ("environments", *_):
            return _environments(request, backend, airflow_url)
        case "POST", ("restapi", name):
            backend.environment(name)
            return invoke(name, airflow_url, request.body)
        case _, ("tags", arn):
            return _tags(request, backend.tags(arn))
    raise _unknown(request)


def _environments(request: Request, backend: MwaaBackend, airflow_url: str | None) -> Body:
    match request.method, request.path:
        case "GET", ("environments",):
            return {"Environments": sorted(backend.environments)}
        case "PUT", ("environments", name):
            return backend.create(name, request.body, "CREATING" if airflow_url else "AVAILABLE")
        case "GET", ("environments", name):
            environment = backend.environment(name)
            # Where an Airflow is to be behind it, it is created when that one answers.
            if environment["Status"] == "CREATING" and answers(airflow_url):
                environment["Status"] = "AVAILABLE"
            return {"Environment": environment}
        case "PATCH", ("environments", name):
            return backend.update(name, request.body)
        case "DELETE", ("environments", name):
            backend.environment(name)
            del backend.environments[name]
            return {}
    raise _unknown(request)


def _unknown(request: Request) -> UnknownOperationError:
    path = "/".join(request.path)
    return UnknownOperationError(f"MWAA on this machine has no {request.method} /{path}.")


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
