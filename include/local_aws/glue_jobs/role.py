"""A job's role: what Glue and the script do in a run, they do with its temporary credentials."""

from dataclasses import dataclass
from typing import Any

import boto3

from local_aws.clusters import ACCOUNT_ID, REGION


@dataclass(frozen=True)
class JobRole:
    """Temporary credentials of a role.

    Attributes:
        endpoint_url: Where all services are.
        credentials: As STS gave them out.
    """

    endpoint_url: str
    credentials: dict[str, str]

    @classmethod
    def assume(cls, role: str, endpoint_url: str, sts: Any) -> "JobRole":
        """Assumes a role as Glue does.

        Args:
            role: Its name or ARN.
            endpoint_url: Where all services are.
            sts: A boto3 client.
        """
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{ACCOUNT_ID}:role/{role}"
        given = sts.assume_role(RoleArn=arn, RoleSessionName="GlueJobRunnerSession")["Credentials"]
        return cls(endpoint_url, given)

    def client(self, service: str) -> Any:
        """A boto3 client with the role's rights."""
        return boto3.session.Session().client(  # type: ignore[call-overload]  # the service is not a literal
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=self.credentials["AccessKeyId"],
            aws_secret_access_key=self.credentials["SecretAccessKey"],
            aws_session_token=self.credentials["SessionToken"],
        )

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 in the script reads."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.credentials["SessionToken"],
        }
