"""Redshift Serverless: namespaces, workgroups and usage limits, available at once. moto lacks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal import mock_random
from moto.secretsmanager.models import secretsmanager_backends

from local_aws.supplements.request import Body, ExistsError, NotFoundError, Request, UnknownOperationError

# What AWS answers beside the parameters that were set.
_PARAMETERS = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "query_group": "default",
    "require_ssl": "true",
    "search_path": "$user, public",
    "use_fips_ssl": "false",
}


class RedshiftServerlessBackend(BaseBackend):
    """The namespaces and workgroups of a region; each operation is the method of its name."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.namespaces: dict[str, Body] = {}
        self.workgroups: dict[str, Body] = {}
        self.usage_limits: dict[str, Body] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.passwords: dict[str, str] = {}

    def namespace_of(self, workgroup: str) -> Body | None:
        """The namespace whose data a workgroup works on; None if there is no such workgroup."""
        if workgroup not in self.workgroups:
            return None
        return self.namespaces[self.workgroups[workgroup]["namespaceName"]]

    def password(self, workgroup: str, user: str) -> str | None:
        """The password of the superuser behind a workgroup; None for anybody else."""
        namespace = self.namespace_of(workgroup)
        if namespace is None or namespace["adminUsername"] != user:
            return None
        return self.passwords[namespace["namespaceName"]]

    # Namespaces

    def create_namespace(self, request: Body) -> Body:
        """CreateNamespace."""
        name = request["namespaceName"]
        if name in self.namespaces:
            raise ExistsError(f"Namespace {name} exists already.")
        identifier = str(mock_random.uuid4())
        namespace = {
            "namespaceName": name,
            "namespaceId": identifier,
            "namespaceArn": self._arn("namespace", identifier),
            "status": "AVAILABLE",
            "creationDate": _now(),
            "adminUsername": request.get("adminUsername", "admin"),
            "dbName": request.get("dbName", "dev"),
            "kmsKeyId": request.get("kmsKeyId", "AWS_OWNED_KMS_KEY"),
            "logExports": request.get("logExports", []),
            "defaultIamRoleArn": request.get("defaultIamRoleArn"),
            "iamRoles": _iam_roles(request.get("iamRoles", [])),
        }
        self.passwords[name] = request.get("adminUserPassword", f"Aa1{mock_random.get_random_hex(32)}")
        if request.get("manageAdminPassword"):
            key = request.get("adminPasswordSecretKmsKeyId")
            namespace["adminPasswordSecretArn"] = self._create_secret(namespace, key)
            namespace["adminPasswordSecretKmsKeyId"] = key
        self.namespaces[name] = namespace
        self._tag(namespace["namespaceArn"], request)
        return {"namespace": namespace}

    def _create_secret(self, namespace: Body, key: str | None) -> str:
        login = {
            "username": namespace["adminUsername"],
            "password": self.passwords[namespace["namespaceName"]],
            "ssl": False,  # AWS's has no such key; the wire listener speaks no TLS, and clients would insist
        }
        answer = secretsmanager_backends[self.account_id][self.region_name].create_secret(
            name=f"redshift!{namespace['namespaceName']}-{namespace['adminUsername']}",
            secret_string=json.dumps(login),
            secret_binary=None,
            description=None,
            tags=None,
            kms_key_id=key,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return str(json.loads(answer)["ARN"])

    def get_namespace(self, request: Body) -> Body:
        """GetNamespace."""
        return {"namespace": _found(self.namespaces, request["namespaceName"], "Namespace")}

    def update_namespace(self, request: Body) -> Body:
        """UpdateNamespace."""
        namespace = _found(self.namespaces, request["namespaceName"], "Namespace")
        for key in ("adminUsername", "defaultIamRoleArn", "kmsKeyId", "logExports"):
            if key in request:
                namespace[key] = request[key]
        if "iamRoles" in request:
            namespace["iamRoles"] = _iam_roles(request["iamRoles"])
        return {"namespace": namespace}

    def delete_namespace(self, request: Body) -> Body:
        """DeleteNamespace; the secret that Redshift made goes with it."""
        namespace = _found(self.namespaces, request["namespaceName"], "Namespace")
        if "adminPasswordSecretArn" in namespace:
            secretsmanager_backends[self.account_id][self.region_name].delete_secret(
                namespace["adminPasswordSecretArn"],
                recovery_window_in_days=None,
                force_delete_without_recovery=True,
            )
        del self.namespaces[request["namespaceName"]]
        return {"namespace": namespace}

    # Workgroups

    def create_workgroup(self, request: Body) -> Body:
        """CreateWorkgroup."""
        name = request["workgroupName"]
        if name in self.workgroups:
            raise ExistsError(f"Workgroup {name} exists already.")
        _found(self.namespaces, request["namespaceName"], "Namespace")
        identifier = str(mock_random.uuid4())
        port = request.get("port", 5439)
        given = {item["parameterKey"]: item["parameterValue"] for item in request.get("configParameters", [])}
        workgroup = {
            "baseCapacity": 128,
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "trackName": "current",
            **{key: value for key, value in request.items() if key != "tags"},
            "workgroupId": identifier,
            "workgroupArn": self._arn("workgroup", identifier),
            "status": "AVAILABLE",
            "creationDate": _now(),
            "port": port,
            "configParameters": [
                {"parameterKey": key, "parameterValue": value} for key, value in (_PARAMETERS | given).items()
            ],
            "endpoint": {"address": "127.0.0.1", "port": port, "vpcEndpoints": []},
        }
        self.workgroups[name] = workgroup
        self._tag(workgroup["workgroupArn"], request)
        return {"workgroup": workgroup}

    def get_workgroup(self, request: Body) -> Body:
        """GetWorkgroup."""
        return {"workgroup": _found(self.workgroups, request["workgroupName"], "Workgroup")}

    def update_workgroup(self, request: Body) -> Body:
        """UpdateWorkgroup; what the request leaves out stays."""
        workgroup = _found(self.workgroups, request["workgroupName"], "Workgroup")
        workgroup.update(request)
        return {"workgroup": workgroup}

    def delete_workgroup(self, request: Body) -> Body:
        """DeleteWorkgroup."""
        workgroup = _found(self.workgroups, request["workgroupName"], "Workgroup")
        del self.workgroups[request["workgroupName"]]
        return {"workgroup": workgroup}

    # Usage limits

    def create_usage_limit(self, request: Body) -> Body:
        """CreateUsageLimit."""
        identifier = str(mock_random.uuid4())
        self.usage_limits[identifier] = {
            "period": "monthly",
            "breachAction": "log",
            **request,
            "usageLimitId": identifier,
            "usageLimitArn": self._arn("usagelimit", identifier),
        }
        return {"usageLimit": self.usage_limits[identifier]}

    def get_usage_limit(self, request: Body) -> Body:
        """GetUsageLimit."""
        return {"usageLimit": _found(self.usage_limits, request["usageLimitId"], "Usage limit")}

    def update_usage_limit(self, request: Body) -> Body:
        """UpdateUsageLimit."""
        limit = _found(self.usage_limits, request["usageLimitId"], "Usage limit")
        limit.update(request)
        return {"usageLimit": limit}

    def delete_usage_limit(self, request: Body) -> Body:
        """DeleteUsageLimit."""
        limit = _found(self.usage_limits, request["usageLimitId"], "Usage limit")
        del self.usage_limits[request["usageLimitId"]]
        return {"usageLimit": limit}

    # Tags

    def list_tags_for_resource(self, request: Body) -> Body:
        """ListTagsForResource."""
        tags = self.tags.get(request["resourceArn"], {})
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def tag_resource(self, request: Body) -> Body:
        """TagResource."""
        self._tag(request["resourceArn"], request)
        return {}

    def untag_resource(self, request: Body) -> Body:
        """UntagResource."""
        for key in request["tagKeys"]:
            self.tags.get(request["resourceArn"], {}).pop(key, None)
        return {}

    def _tag(self, arn: str, request: Body) -> None:
        self.tags.setdefault(arn, {}).update({tag["key"]: tag["value"] for tag in request.get("tags", [])})

    def _arn(self, kind: str, identifier: str) -> str:
        return f"arn:aws:redshift-serverless:{self.region_name}:{self.account_id}:{kind}/{identifier}"


redshift_serverless_backends: BackendDict[RedshiftServerlessBackend] = BackendDict(
    RedshiftServerlessBackend, "redshift-serverless"
)

_OPERATIONS = {
    f"{verb}{noun}": f"{verb.lower()}_{snake}"
    for noun, snake in (("Namespace", "namespace"), ("Workgroup", "workgroup"), ("UsageLimit", "usage_limit"))
    for verb in ("Create", "Get", "Update", "Delete")
} | {
    "ListTagsForResource": "list_tags_for_resource",
    "TagResource": "tag_resource",
    "UntagResource": "untag_resource",
}


def answer(request: Request) -> Body:
    """Answers one request.

    Raises:
        AwsError: As AWS would.
    """
    if request.operation not in _OPERATIONS:
        raise UnknownOperationError(f"Redshift Serverless on this machine has no {request.operation}.")
    backend = redshift_serverless_backends[DEFAULT_ACCOUNT_ID][request.region]
    operation: Callable[[Body], Body] = getattr(backend, _OPERATIONS[request.operation])
    return operation(request.body)


def _found(things: dict[str, Body], name: str, kind: str) -> dict[str, Any]:
    try:
        return things[name]
    except KeyError:
        raise NotFoundError(f"{kind} {name} does not exist.") from None


def _iam_roles(arns: list[str]) -> list[str]:
    return [f"IamRole(applyStatus=in-sync, iamRoleArn={arn})" for arn in arns]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
