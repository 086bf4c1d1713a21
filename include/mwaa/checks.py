"""What could be in the way of a deployment or of its end, found before anything is changed."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from mwaa.terraform import Plan


class CheckError(Exception):
    """It cannot start; one sentence."""


def require_credentials() -> str:
    """Ask AWS who we are.

    Returns:
        The ARN of the user or role.

    Raises:
        CheckError: There are no credentials, or AWS refuses them.
    """
    session = boto3.session.Session()
    sts = session.client("sts", region_name=session.region_name or "us-east-1")
    try:
        return str(sts.get_caller_identity()["Arn"])
    except (ClientError, BotoCoreError) as error:
        raise CheckError(
            f"AWS does not accept your credentials ({error}): sign in, for example with aws sso login, "
            "or set AWS_PROFILE."
        ) from None


def require_free_bucket_names(plan: Plan) -> None:
    """Bucket names are the whole world's: ask for each that is to be created.

    Args:
        plan: What is to be created.

    Raises:
        CheckError: A bucket exists, or S3 does not answer.
    """
    s3: Any = boto3.client("s3", region_name=plan.region)
    for bucket in plan.new_buckets:
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            code = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code == 404:
                continue
            if code not in {301, 403}:
                raise CheckError(f"S3 does not tell whether bucket {bucket} exists: {error}.") from None
            reason = "belongs to somebody else"
        else:
            reason = "exists in this account already, and Terraform does not know it"
        raise CheckError(
            f"Bucket {bucket} {reason}: choose another bucket_suffix in the environment's .tfvars file."
        )


def require_kept(plan: Plan, name: str) -> None:
    """Refuse a deployment that would take data along while they are protected.

    Args:
        plan: What is to be done.
        name: The environment.

    Raises:
        CheckError: It would replace or delete a warehouse or a bucket of a protected environment.
    """
    lost = [change.address for change in plan.changes if change.loses_data]
    if plan.protected and lost:
        raise CheckError(
            f"{name} is protected (deletion_protection is true, or was when it was last deployed), and this "
            f"plan would take away {', '.join(lost)}: set name, bucket_suffix and redshift_mode back to "
            "what was deployed, or, to give up what is stored, deploy deletion_protection = false first."
        )


def require_unprotected(plan: Plan, name: str) -> None:
    """Refuse to destroy what is protected: it would end half-way, with the data left and their key going.

    Args:
        plan: What is to be destroyed.
        name: The environment.

    Raises:
        CheckError: The environment is protected, by its variables or as it was last applied.
    """
    if plan.protected:
        raise CheckError(
            f"{name} is protected (deletion_protection is true, or was when it was last deployed), and a "
            "destroy would take the warehouse and Airflow and stop at the buckets: to take everything along, "
            f"set deletion_protection = false in include/terraform/environments/{name}.tfvars, run "
            f"make deploy ENV={name}, and make destroy ENV={name} after it."
        )
