"""What the roles that Terraform made may do, held against what they did: moto's IAM judges."""

from dataclasses import dataclass
from typing import Any

import boto3
from moto.iam.access_control import IAMPolicyStatement, PermissionResult

# The Data API knows whose a statement is; ours are all our own.
_CONTEXT = {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}


@dataclass(frozen=True)
class Call:
    """A call that was made: action and resource."""

    action: str
    resource: str


@dataclass(frozen=True)
class Right:
    """One action of one statement of a role."""

    sid: str
    action: str
    statement: dict[str, Any]

    def covers(self, call: Call) -> bool:
        """Whether the statement, had it this action only, would allow the call."""
        alone = IAMPolicyStatement(self.statement | {"Action": self.action})
        result = alone.is_action_permitted(call.action, call.resource, None, _CONTEXT)
        return bool(result is PermissionResult.PERMITTED)


def rights_of(role_arn: str) -> list[Right]:
    """Every action of every statement of a role's policies.

    Args:
        role_arn: The role.
    """
    iam, name = boto3.client("iam"), role_arn.rpartition("/")[2]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    rights = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            listed = [actions] if isinstance(actions, str) else actions
            rights += [Right(statement["Sid"], action, statement) for action in listed]
    return rights


def calls_of(records: list[dict[str, Any]], caller: str) -> set[Call]:
    """The calls of one caller.

    Args:
        records: What `/_local/calls` answered.
        caller: A role's ARN, or `warehouse`.
    """
    return {Call(record["action"], record["resource"]) for record in records if record["caller"] == caller}


def refused(rights: list[Right], calls: set[Call]) -> set[Call]:
    """The calls that no right covers, of those that need one."""
    return {
        call
        for call in calls
        if call.action != "sts:GetCallerIdentity" and not any(right.covers(call) for right in rights)
    }


def unused(rights: list[Right], calls: set[Call]) -> set[tuple[str, str]]:
    """The rights, as statement and action, that cover no call."""
    return {(right.sid, right.action) for right in rights if not any(right.covers(call) for call in calls)}
