"""Redshift's control plane: what moto's clusters, parameter groups and schedules lack for Terraform."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.redshift import models, responses, urls
from moto.redshift.exceptions import ClusterParameterGroupNotFoundError, RedshiftClientError
from moto.secretsmanager.models import secretsmanager_backends


class Cluster(models.Cluster):
    """moto's cluster with the members of DescribeClusters that it leaves out."""

    cluster_availability_status = "Available"
    availability_zone_relocation_status = "disabled"
    multi_az = "Disabled"
    manual_snapshot_retention_period = -1
    maintenance_track_name = "current"
    cluster_revision_number = "1"
    aqua_configuration: dict[str, str] = {"AquaStatus": "disabled", "AquaConfigurationStatus": "auto"}  # noqa: RUF012
    default_iam_role_arn: str | None = None
    master_password_secret_arn: str | None = None
    master_password_secret_kms_key_id: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preferred_maintenance_window = self.preferred_maintenance_window.lower()
        self.cluster_namespace_arn = (
            f"arn:aws:redshift:{self.region}:{self.account_id}:namespace:{mock_random.uuid4()}"
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where the wire listener answers, if there is one: at the cluster's port, or at none."""
        return {"Address": "127.0.0.1", "Port": self.port}

    @property
    def cluster_nodes(self) -> list[dict[str, str]]:
        """A single node does everything; of several, a leader more than were asked for."""
        if self.number_of_nodes == 1:
            roles = ["SHARED"]
        else:
            roles = ["LEADER", *(f"COMPUTE-{number}" for number in range(self.number_of_nodes))]
        return [
            {"NodeRole": role, "PrivateIPAddress": f"10.0.0.{number}", "PublicIPAddress": f"192.0.2.{number}"}
            for number, role in enumerate(roles, start=10)
        ]


class SnapshotScheduleNotFoundError(RedshiftClientError):
    """No schedule has this name."""

    def __init__(self, identifier: str) -> None:
        super().__init__("SnapshotScheduleNotFound", f"Snapshot schedule {identifier} not found.")


class RedshiftResponse(responses.RedshiftResponse):
    """moto's Redshift with more operations; what they keep lives in moto's backend and is reset with it."""

    def create_cluster(self) -> ActionResult:
        """Creates a cluster, with a default role and a password in Secrets Manager if so asked."""
        answer = super().create_cluster()
        cluster: Cluster = self.redshift_backend.clusters[self._get_param("ClusterIdentifier")]  # type: ignore[assignment]
        cluster.default_iam_role_arn = self._get_param("DefaultIamRoleArn")
        if self._get_bool_param("AvailabilityZoneRelocation", if_none=False):
            cluster.availability_zone_relocation_status = "enabled"
        if self._get_bool_param("ManageMasterPassword", if_none=False):
            # Redshift asks for a digit, an upper and a lower case letter.
            cluster.master_user_password = f"Aa1{mock_random.get_random_hex(32)}"
            cluster.master_password_secret_kms_key_id = self._get_param("MasterPasswordSecretKmsKeyId")
            cluster.master_password_secret_arn = self._create_secret(cluster)
        return answer

    def _create_secret(self, cluster: Cluster) -> str:
        login = {
            "username": cluster.master_username,
            "password": cluster.master_user_password,
            "ssl": False,  # AWS's has no such key; the wire listener speaks no TLS, and clients would insist
        }
        answer = secretsmanager_backends[self.current_account][self.region].create_secret(
            name=f"redshift!{cluster.cluster_identifier}-{cluster.master_username}",
            secret_string=json.dumps(login),
            secret_binary=None,
            description=None,
            tags=None,
            kms_key_id=cluster.master_password_secret_kms_key_id,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return str(json.loads(answer)["ARN"])

    def delete_cluster(self) -> ActionResult:
        """Deletes a cluster and the secret that Redshift made for it."""
        cluster = self.redshift_backend.clusters.get(self._get_param("ClusterIdentifier"))
        answer = super().delete_cluster()
        arn = getattr(cluster, "master_password_secret_arn", None)
        if arn:
            secretsmanager_backends[self.current_account][self.region].delete_secret(
                arn, recovery_window_in_days=None, force_delete_without_recovery=True
            )
        return answer

    def modify_cluster_iam_roles(self) -> ActionResult:
        """Adds and removes roles; an empty default role clears it."""
        cluster: Cluster = self.redshift_backend.describe_clusters(self._get_param("ClusterIdentifier"))[0]  # type: ignore[assignment]
        removed = set(self._get_param("RemoveIamRoles", []))
        added = self._get_param("AddIamRoles", [])
        kept = [arn for arn in cluster.iam_roles_arn if arn not in removed and arn not in added]
        cluster.iam_roles_arn = [*kept, *added]
        default = self._get_param("DefaultIamRoleArn")
        if default is not None:
            cluster.default_iam_role_arn = default or None
        return ActionResult({"Cluster": cluster})

    # Parameter groups

    def modify_cluster_parameter_group(self) -> ActionResult:
        """Sets parameters of a group."""
        parameters = self._user_parameters()
        parameters.update(
            {
                parameter["ParameterName"]: parameter["ParameterValue"]
                for parameter in self._get_param("Parameters", [])
            }
        )
        return self._parameter_group_status()

    def reset_cluster_parameter_group(self) -> ActionResult:
        """Sets parameters of a group back."""
        parameters = self._user_parameters()
        names = {parameter["ParameterName"] for parameter in self._get_param("Parameters", [])}
        if self._get_bool_param("ResetAllParameters", if_none=False):
            names = set(parameters)
        for name in names:
            parameters.pop(name, None)
        return self._parameter_group_status()

    def describe_cluster_parameters(self) -> ActionResult:
        """The parameters that somebody has set, and the others unless only those are asked for."""
        user = self._user_parameters()
        found = [
            {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
            for name, value in user.items()
        ]
        if self._get_param("Source") != "user":
            defaults = self.redshift_backend.describe_default_cluster_parameters()
            found += [parameter for parameter in defaults if parameter["ParameterName"] not in user]
        return ActionResult({"Parameters": found})

    def _user_parameters(self) -> dict[str, str]:
        name = self._get_param("ParameterGroupName")
        group = self.redshift_backend.parameter_groups.get(name)
        if group is None:
            raise ClusterParameterGroupNotFoundError(name)
        parameters: dict[str, str] = group.__dict__.setdefault("user_parameters", {})
        return parameters

    def _parameter_group_status(self) -> ActionResult:
        name = self._get_param("ParameterGroupName")
        status = "Your parameter group has been updated. Changes take effect when the clusters restart."
        return ActionResult({"ParameterGroupName": name, "ParameterGroupStatus": status})

    # Snapshot schedules

    def create_snapshot_schedule(self) -> ActionResult:
        """Creates a schedule."""
        schedule = {
            "ScheduleIdentifier": self._get_param("ScheduleIdentifier"),
            "ScheduleDefinitions": self._get_param("ScheduleDefinitions", []),
            "ScheduleDescription": self._get_param("ScheduleDescription"),
            "Tags": self._get_param("Tags", []),
            "AssociatedClusters": [],
        }
        self._kept("snapshot_schedules")[schedule["ScheduleIdentifier"]] = schedule
        return ActionResult(schedule)

    def describe_snapshot_schedules(self) -> ActionResult:
        """Schedules, by their name or by a cluster's."""
        identifier, cluster = self._get_param("ScheduleIdentifier"), self._get_param("ClusterIdentifier")
        found = [
            {**schedule, "AssociatedClusterCount": len(schedule["AssociatedClusters"])}
            for schedule in self._kept("snapshot_schedules").values()
            if identifier in {None, schedule["ScheduleIdentifier"]}
            and (
                cluster is None
                or cluster in {entry["ClusterIdentifier"] for entry in schedule["AssociatedClusters"]}
            )
        ]
        return ActionResult({"SnapshotSchedules": found})

    def modify_cluster_snapshot_schedule(self) -> EmptyResult:
        """Gives a cluster a schedule, or takes it away."""
        cluster = self._get_param("ClusterIdentifier")
        schedule = self._schedule()
        others = [entry for entry in schedule["AssociatedClusters"] if entry["ClusterIdentifier"] != cluster]
        if not self._get_bool_param("DisassociateSchedule", if_none=False):
            others.append({"ClusterIdentifier": cluster, "ScheduleAssociationState": "ACTIVE"})
        schedule["AssociatedClusters"] = others
        return EmptyResult()

    def delete_snapshot_schedule(self) -> EmptyResult:
        """Deletes a schedule."""
        del self._kept("snapshot_schedules")[self._schedule()["ScheduleIdentifier"]]
        return EmptyResult()

    def _schedule(self) -> dict[str, Any]:
        identifier = self._get_param("ScheduleIdentifier")
        try:
            return self._kept("snapshot_schedules")[identifier]
        except KeyError:
            raise SnapshotScheduleNotFoundError(identifier) from None

    # Usage limits

    def create_usage_limit(self) -> ActionResult:
        """Creates a limit."""
        limit = {
            "UsageLimitId": str(mock_random.uuid4()),
            "ClusterIdentifier": self._get_param("ClusterIdentifier"),
            "FeatureType": self._get_param("FeatureType"),
            "LimitType": self._get_param("LimitType"),
            "Amount": self._get_int_param("Amount"),
            "Period": self._get_param("Period", "monthly"),
            "BreachAction": self._get_param("BreachAction", "log"),
            "Tags": self._get_param("Tags", []),
        }
        self._kept("usage_limits")[limit["UsageLimitId"]] = limit
        return ActionResult(limit)

    def describe_usage_limits(self) -> ActionResult:
        """Limits, by their id."""
        wanted = self._get_param("UsageLimitId")
        limits = [limit for key, limit in self._kept("usage_limits").items() if wanted in {None, key}]
        return ActionResult({"UsageLimits": limits})

    def delete_usage_limit(self) -> EmptyResult:
        """Deletes a limit."""
        self._kept("usage_limits").pop(self._get_param("UsageLimitId"), None)
        return EmptyResult()

    def _kept(self, what: str) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = self.redshift_backend.__dict__.setdefault(
            f"supplemented_{what}", {}
        )
        return kept


def install() -> None:
    """Put it in place; a second time changes nothing."""
    models.Cluster = Cluster  # type: ignore[misc]
    urls.url_paths["{0}/$"] = RedshiftResponse.dispatch
